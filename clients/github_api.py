"""The connection to GitHub's REST API on githubkit, with GitHub's answers named by what the caller does."""

from __future__ import annotations

from collections.abc import Awaitable, Container
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import githubkit
import httpx
from githubkit.exception import GitHubException, RequestFailed
from githubkit.response import Response

from clients.address import is_loopback, usable_token
from clients.github_errors import TOKEN, failure, limited, said, strange, unreachable
from clients.github_limit import PATIENCE, Limit, Limited, Turns, limit_of, seconds_of
from clients.trust import authorities
from release.errors import Refused

TIMEOUT = 15.0


class Api:
    """One repository at one GitHub: `url` its REST root, `repo` is `owner/name`, `token` the secret itself.

    An async context manager. Every method raises Refused (a wrong token, permission, name or value, with the
    setting's name) or Unavailable (no answer, a time-out, a server error, a rate limit). Only a rate limit that ends
    within `patience` seconds is waited for, and then it is asked once more; whatever else is tried again is the
    caller's policy. While a longer one lasts, nothing is asked.
    """

    def __init__(
        self,
        url: str,
        token: str,
        repo: str,
        *,
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        limit: Limit | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.repo = repo
        self._owner, self._name = _split(repo)
        turns = Turns(limit or limit_of(url, token), patience)
        self._kit = githubkit.GitHub(
            usable_token(token, TOKEN),
            base_url=url,
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

    async def _send(self, what: str, call: Awaitable[Response[Any, Any]], *, none_at: Container[int] = ()) -> Any:
        """The answer's JSON; None for no content, and where GitHub answers with a status in `none_at`.

        `what` finishes the sentence "GitHub could not ...".
        """
        status, answer = await self._ask(what, call, expect=none_at)
        return None if status in none_at else answer

    async def _ask(self, what: str, call: Awaitable[Response[Any, Any]], *, expect: Container[int]) -> tuple[int, Any]:
        """Status and JSON; for a failure with a status in `expect` GitHub's own words instead of the JSON."""
        try:
            response = await call
        except Limited as limit:
            raise limited(what, limit.seconds) from None
        except RequestFailed as error:
            status = error.response.status_code
            if status in expect and seconds_of(error) is None:
                return status, said(error)
            raise failure(what, self.repo, error) from None
        except (GitHubException, httpx.HTTPError) as error:
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
