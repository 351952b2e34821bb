"""GitHub's failures, named by what the caller does about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import httpx
from githubkit.exception import RequestError, RequestFailed

from clients.github_app import APP, TOKEN
from clients.github_limit import seconds_of
from release.errors import Refused, TidegateError, Unavailable

# `what`, the repository and what failed, as an error.
Failing = Callable[[str, str, RequestFailed], TidegateError]
# The setting -> what people call it, and what to do where GitHub does not accept it.
_WHO = {TOKEN: "the token", APP: "the App"}
_ANEW = {
    TOKEN: "Put a token that is valid, and not expired, where the settings say.",
    APP: "See that the App is still installed there; then start it again.",
}
_A_MINUTE = 60
_LATER = "Try again; if it stays so, look at https://www.githubstatus.com."


def failure(what: str, repo: str, error: RequestFailed, setting: str) -> TidegateError:
    """A failed request of `repo` as Refused or Unavailable; `what` finishes "GitHub could not ...", `setting` is
    where the token or the App is named."""
    status, message, who = error.response.status_code, said(error), _WHO[setting]
    if (unable := _unable(what, error)) is not None:
        return unable
    if status == 401:
        return Refused(f"GitHub does not accept {who} ({message}).", field=setting, next_step=_ANEW[setting])
    if status == 403:
        return _forbidden(what, message, error, setting)
    if status == 404:
        return Refused(
            f"GitHub could not {what}: it is not in {repo}, or {who} may not see it.",
            field="application.github",
            next_step=f"Check the repository's name, and that {who} was given access to it.",
        )
    return refused(what, message)


def app_failure(what: str, repo: str, error: RequestFailed) -> TidegateError:
    """As `failure`, of what the App asks with its key."""
    del repo
    message = said(error)
    if (unable := _unable(what, error)) is not None:
        return unable
    if error.response.status_code == 401:
        return Refused(
            f"GitHub does not accept the App's key ({message}).",
            field=f"{APP}.private_key",
            next_step=f"See that it is a key of the App in {APP}.id, and that this machine's clock is right.",
        )
    return Refused(f"GitHub could not {what}: {message}.", field=APP, next_step="Mend the App at GitHub.")


def installation_failure(what: str, repo: str, error: RequestFailed) -> TidegateError:
    """As `app_failure`, of its installation and a token of it."""
    status = error.response.status_code
    if status == 404:
        return Refused(
            "The App has no such installation.",
            field=f"{APP}.installation",
            next_step="Install the App; the number is at the end of its installation's page's address.",
        )
    if status == 422:
        return Refused(
            f"The App's installation does not reach {repo} ({said(error)}).",
            field="application.github",
            next_step="Give the installation access to that repository.",
        )
    return app_failure(what, repo, error)


def _unable(what: str, error: RequestFailed) -> Unavailable | None:
    """A limit, or a server that fails: nothing is wrong with what was asked."""
    if (seconds := seconds_of(error)) is not None:
        return limited(what, seconds)
    if (status := error.response.status_code) >= 500:
        return Unavailable(f"GitHub could not {what}: it answered {status}.", next_step=_LATER)
    return None


def limited(what: str, seconds: float) -> Unavailable:
    """A rate limit that ends in `seconds`."""
    at = f", after {datetime.now(UTC) + timedelta(seconds=seconds):%H:%M} UTC" if seconds > _A_MINUTE else ""
    return Unavailable(
        f"GitHub could not {what}: its rate limit is reached.", next_step=f"Try again in {ceil(seconds)} s{at}."
    )


def said(error: RequestFailed) -> str:
    """GitHub's own words about a failed request, its list of errors included, without the final full stop."""
    try:
        answer = error.response.json()
    except ValueError:
        return f"it answered {error.response.status_code}"
    if not isinstance(answer, dict):
        return f"it answered {error.response.status_code}"
    errors = answer.get("errors") or []
    listed = [_one(item) for item in errors] if isinstance(errors, list) else [str(errors)]
    words = [str(answer.get("message") or "").rstrip("."), *listed]
    return "; ".join(word for word in words if word) or f"it answered {error.response.status_code}"


def refused(what: str, message: str, setting: str | None = None) -> Refused:
    """GitHub said no to the request itself, or to who asked: then `setting` is where that is named."""
    return Refused(
        f"GitHub could not {what}: {message}.",
        field=setting,
        next_step="Mend what GitHub names and start it again.",
    )


def take(what: str, answer: Any, *keys: str) -> list[Any]:
    """The values at `keys` of GitHub's answer. Raises Unavailable when the answer has another shape."""
    try:
        return [answer[key] for key in keys]
    except (KeyError, TypeError, IndexError):
        raise strange(what) from None


def _one(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    if item.get("message"):
        return str(item["message"])
    return " ".join(str(item[key]) for key in ("resource", "field", "code") if item.get(key))


def _forbidden(what: str, message: str, error: RequestFailed, setting: str) -> Refused:
    wanted, who = error.response.headers.get("x-accepted-github-permissions"), _WHO[setting]
    return Refused(
        f"GitHub could not {what}: {who} may not ({message}).",
        field=setting,
        next_step=f"Give {who} the permission {wanted}." if wanted else f"Give {who} that permission.",
    )


def unreachable(what: str, error: Exception) -> TidegateError:
    """No answer at all."""
    cause = error.exc if isinstance(error, RequestError) else error
    if isinstance(cause, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return Refused("This is not an address that can be called.", field="github.url")
    if isinstance(cause, httpx.TimeoutException):
        return Unavailable(f"GitHub could not {what}: it did not answer in time.", next_step=_LATER)
    # Only the kind of error: its text can hold what was sent.
    return Unavailable(f"GitHub could not {what}: it cannot be reached ({type(cause).__name__}).", next_step=_LATER)


def strange(what: str) -> Unavailable:
    """An answer that GitHub does not give."""
    return Unavailable(
        f"GitHub could not {what}: the answer is not GitHub's.",
        next_step="Check github.url, and whether a proxy answers in its place.",
    )
