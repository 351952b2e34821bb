"""Webhooks of one's own house: the database backup and the monitoring, JSON by POST with a bearer token.

Such an address can be a secret in itself, so messages name the setting and never the address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from clients.address import is_loopback, usable_token
from clients.trust import authorities
from release.errors import Refused, TidegateError, Unavailable

_DONE = frozenset({"complete", "completed", "done", "finished", "ok", "success", "succeeded"})
_ACCEPTED = frozenset({"accepted", "created", "in_progress", "pending", "queued", "running", "started"})


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was promised: `id` as its service names it ("" without one), `done` when it is finished."""

    id: str
    status: str
    done: bool


async def post_json(
    url: str,
    payload: Mapping[str, Any],
    *,
    token: str | None,
    timeout: float,
    name: str = "webhook",
    transport: httpx.AsyncBaseTransport | None = None,
) -> Mapping[str, Any]:
    """Post `payload` and return the answer's JSON object, empty where a good answer holds none.

    `name` is the setting (`backup`, `monitoring`) that errors name. Raises Refused for a 3xx or 4xx answer, a
    bad token or address; Unavailable for no answer within `timeout` seconds, 429 and 5xx.
    """
    headers = {} if token is None else {"Authorization": f"Bearer {usable_token(token, f'{name}.token')}"}
    try:
        async with httpx.AsyncClient(
            timeout=timeout, transport=transport, verify=authorities(), trust_env=not is_loopback(url)
        ) as client:
            answer = await client.post(url, json=dict(payload), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreachable(name, error) from None
    if not answer.is_success:
        raise _failure(name, answer)
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def request_backup(
    url: str,
    payload: Mapping[str, Any],
    *,
    token: str | None,
    timeout: float,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Backup:
    """Ask for a database backup, and believe only an answer that says so: its `status`, or else its `id`.

    Raises as `post_json`, and Refused when the answer promises nothing or says that the backup failed.
    """
    answer = await post_json(url, payload, token=token, timeout=timeout, name="backup", transport=transport)
    number, status = str(answer.get("id") or ""), str(answer.get("status") or "")
    word = status.lower().replace("-", "_")
    if word in _DONE or word in _ACCEPTED or (number and not word):
        return Backup(number, status, done=word in _DONE)
    said = f"says {status!r}" if status else "holds neither `status` nor `id`"
    raise Refused(
        f"The backup webhook answered, but no backup is certain: its answer {said}.",
        field="backup.url",
        next_step="Look at the backup service, and start again once a backup can be made.",
    )


def _failure(name: str, answer: httpx.Response) -> TidegateError:
    status = answer.status_code
    if status == 429 or status >= 500:
        wait = answer.headers.get("retry-after")
        return Unavailable(
            f"The {name} webhook answered {status}.",
            next_step=f"Try again in {wait} s." if wait and wait.isdigit() else "Try again later.",
        )
    if status in (401, 403):
        return Refused(
            f"The {name} webhook does not accept the token (it answered {status}).",
            field=f"{name}.token",
            next_step="Put the service's token where the settings say.",
        )
    return Refused(
        f"The {name} webhook answered {status}.",
        field=f"{name}.url",
        next_step="Check the address, and what the service asks for.",
    )


def _unreachable(name: str, error: Exception) -> TidegateError:
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Refused("This is not an address that can be called.", field=f"{name}.url")
    if isinstance(error, httpx.TimeoutException):
        return Unavailable(f"The {name} webhook did not answer in time.", next_step="Try again later.")
    # Only the kind of error: its text can hold the address.
    return Unavailable(f"The {name} webhook cannot be reached ({type(error).__name__}).", next_step="Try again later.")
