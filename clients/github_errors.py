"""GitHub's failures, named by what the caller does about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import httpx
from githubkit.exception import RequestError, RequestFailed

from clients.github_limit import seconds_of
from release.errors import Refused, TidegateError, Unavailable

TOKEN = "github.token"  # noqa: S105 - the setting's name
_A_MINUTE = 60
_LATER = "Try again; if it stays so, look at https://www.githubstatus.com."


def failure(what: str, repo: str, error: RequestFailed) -> TidegateError:
    """A failed request of `repo` as Refused or Unavailable; `what` finishes "GitHub could not ..."."""
    status = error.response.status_code
    if (seconds := seconds_of(error)) is not None:
        return limited(what, seconds)
    if status >= 500:
        return Unavailable(f"GitHub could not {what}: it answered {status}.", next_step=_LATER)
    message = said(error)
    if status == 401:
        return Refused(
            f"GitHub does not accept the token ({message}).",
            field=TOKEN,
            next_step="Put a token that is valid, and not expired, where the settings say.",
        )
    if status == 403:
        return _forbidden(what, message, error)
    if status == 404:
        return Refused(
            f"GitHub could not {what}: it is not in {repo}, or the token may not see it.",
            field="application.github",
            next_step="Check the repository's name, and that the token was given access to it.",
        )
    return refused(what, message)


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


def refused(what: str, message: str, *, forbidden: bool = False) -> Refused:
    """GitHub said no to the request itself."""
    return Refused(
        f"GitHub could not {what}: {message}.",
        field=TOKEN if forbidden else None,
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


def _forbidden(what: str, message: str, error: RequestFailed) -> Refused:
    wanted = error.response.headers.get("x-accepted-github-permissions")
    return Refused(
        f"GitHub could not {what}: the token may not ({message}).",
        field=TOKEN,
        next_step=f"Give the token the permission {wanted}." if wanted else "Give the token that permission.",
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
