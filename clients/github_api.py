"""The connection to GitHub's REST API on githubkit, with GitHub's answers named by what the caller does."""

from __future__ import annotations

from collections.abc import Awaitable, Container
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import githubkit
import httpx
from githubkit import AppInstallationAuthStrategy, TokenAuthStrategy
from githubkit.exception import GitHubException, RequestFailed
from githubkit.response import Response

from clients.address import is_loopback
from clients.github_app import App, setting_of, strategy, tokens
from clients.github_errors import Failing, failure, installation_failure, limited, said, strange, take, unreachable
from clients.github_limit import PATIENCE, Limit, Limited, Turns, limit_of, seconds_of
from clients.trust import authorities
from release.errors import Refused

TIMEOUT = 15.0
# A fetch that begins with an installation's token must end with it.
_FETCH = timedelta(minutes=5)


class Api:
    """One repository at one GitHub: `url` its REST root, `repo` is `owner/name`, `access` a token or an App.

    An async context manager. Every method raises Refused (a wrong token or key, permission, name or value, with the
    setting's name) or Unavailable (no answer, a time-out, a server error, a rate limit). Only a rate limit that ends
    within `patience` seconds is waited for, and then it is asked once more; whatever else is tried again is the
    caller's policy. While a longer one lasts, nothing is asked.
    """

    def __init__(
        self,
        url: str,
        access: str | App,
        repo: str,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        limit: Limit | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.repo = repo
        self._owner, self._name = _split(repo)
        self.setting, self._access = setting_of(access), access
        turns = Turns(limit or limit_of(url, access), patience)
        self._kit: githubkit.GitHub[TokenAuthStrategy | AppInstallationAuthStrategy] = githubkit.GitHub(
            strategy(access, self._name),
            base_url=url,
            cache_strategy=tokens(url, access),
            user_agent="tidegate",
            timeout=timeout,
            http_cache=False,
            throttler=turns,
            auto_retry=turns.again,
            trust_env=not is_loopback(url),
            async_transport=transport,
            ssl_verify=authorities(),
        )
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._kit)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def git_token(self) -> str:
        """What git logs in with, as the user x-access-token: the token itself, or one of the App's installation, which
        lasts five minutes at least."""
        if isinstance(self._access, str):
            return self._access.strip()
        kept = await self._kit.config.cache_strategy.get_async_cache_storage()
        if token := await kept.aget(self.repo):
            return token
        what, app = f"give git a token for {self.repo}", self._access
        call = self._kit.rest.apps.async_create_installation_access_token(app.installation, repositories=[self._name])
        token, ends = take(what, await self._send(what, call, failing=installation_failure), "token", "expires_at")
        lasts = datetime.fromisoformat(str(ends)) - datetime.now(UTC)
        await kept.aset(self.repo, str(token), lasts - _FETCH)
        return str(token)

    async def _send(
        self,
        what: str,
        call: Awaitable[Response[Any, Any]],
        *,
        none_at: Container[int] = (),
        failing: Failing | None = None,
    ) -> Any:
        """The answer's JSON; None for no content, and where GitHub answers with a status in `none_at`.

        `what` finishes the sentence "GitHub could not ..."; `failing` says what a failure means, where it is not the
        repository's.
        """
        status, answer = await self._ask(what, call, expect=none_at, failing=failing)
        return None if status in none_at else answer

    async def _ask(
        self,
        what: str,
        call: Awaitable[Response[Any, Any]],
        *,
        expect: Container[int],
        failing: Failing | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON; for a failure with a status in `expect` GitHub's own words instead of the JSON."""
        try:
            response = await call
        except Limited as limit:
            raise limited(what, limit.seconds) from None
        except RequestFailed as error:
            status = error.response.status_code
            if status in expect and seconds_of(error) is None:
                return status, said(error)
            if failing is not None:
                raise failing(what, self.repo, error) from None
            raise failure(what, self.repo, error, self.setting) from None
        except (GitHubException, httpx.HTTPError) as error:
            refusal = getattr(error, "exc", None)
            # Before the request itself, githubkit asked for the installation's token.
            if isinstance(refusal, RequestFailed):
                raise installation_failure(what, self.repo, refusal) from None
            raise unreachable(what, error) from None
        except ValueError:
            # githubkit reads a Retry-After of another form than GitHub's with int().
            raise strange(what) from None
        if response.status_code == 204:
            return 204, None
        try:
            return response.status_code, response.json()
        except ValueError:
            raise strange(what) from None


def _split(repo: str) -> tuple[str, str]:
    owner, _, name = repo.partition("/")
    if not owner or not name or "/" in name:
        raise Refused(f"{repo!r} is not of the form owner/name.", field="application.github")
    return owner, name
