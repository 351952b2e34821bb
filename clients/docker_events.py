"""What the engine's answers mean: lines for the log, and its errors by what the caller does about them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from release.errors import Failed, Refused, TidegateError, Unavailable

_TAIL = 12
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_DENIED = ("unauthorized", "denied", "authentication required", "no basic auth", "incorrect username", "forbidden")
_PLAIN_HTTP = "server gave http response to https client"
_OUTSIDE = (
    "dial tcp",
    "no such host",
    "connection refused",
    "connection reset",
    "i/o timeout",
    "handshake timeout",
    "client.timeout",
    "deadline exceeded",
    "request canceled",
    "no space left",
    "toomanyrequests",
    "too many requests",
    "unexpected http status: 5",
    "unexpected status code 5",
    "unexpected eof",
    ": eof",
)


def lines_of(event: Mapping[str, Any]) -> list[str]:
    """The lines of one event that a person wants to read; progress bars are left out."""
    if "stream" in event:
        text = _COLOURS.sub("", str(event["stream"]))
        return [line.rstrip() for line in text.splitlines() if line.strip()]
    if "status" in event and not event.get("progressDetail"):
        name = event.get("id")
        return [f"{name}: {event['status']}" if name else str(event["status"])]
    return []


def error_of(event: Mapping[str, Any]) -> str | None:
    """The error that an event reports, None for every other event."""
    if "error" not in event and "errorDetail" not in event:
        return None
    detail = event.get("errorDetail") or {}
    return str(detail.get("message") or event.get("error") or "unknown error").strip()


def build_error(error: str, log: Sequence[str]) -> TidegateError:
    """What a failed build means; `log` holds the lines so far, of which the last are repeated."""
    step = next((line for line in reversed(log) if line.startswith("Step ")), None)
    # A command of the Dockerfile may say anything in its own name; the base image's registry may not.
    if not error.startswith("The command"):
        known = _known(error)
        if known is not None:
            return known
    where = f" at {step!r}" if step else ""
    tail = "\n".join(log[-_TAIL:])
    return Failed(
        f"The image build failed{where}: {error}" + (f"\nLast lines:\n{tail}" if tail else ""),
        next_step="fix the Dockerfile or the commit, then start again",
    )


def push_error(error: str, image: str) -> TidegateError:
    """What a failed push means."""
    return _known(error) or Unavailable(
        f"The engine could not push {image}: {error}.", next_step="try again; if it stays, look at the registry"
    )


def _known(error: str) -> TidegateError | None:
    """Errors that say the same for base images, log-ins and pushes; None for others."""
    text = error.lower()
    if _PLAIN_HTTP in text:
        return Refused(
            f"The engine speaks https to the registry, which answers plain http: {error}.",
            field="registry.url",
            next_step="give the registry a certificate, or list it under the engine's insecure-registries",
        )
    if any(sign in text for sign in _OUTSIDE):
        return Unavailable(
            f"The engine did not reach what it needs: {error}.",
            next_step="check the registry, the network and the engine's disk, then try again",
        )
    if any(sign in text for sign in _DENIED):
        return Refused(
            f"A registry does not let the engine in: {error}.",
            field="registry.username/password",
            next_step="check both, that the account may push, and that the base image may be pulled",
        )
    return None
