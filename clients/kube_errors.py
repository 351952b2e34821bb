"""What an API server's refusal means to Tidegate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from release.errors import Refused, TidegateError, Unavailable

_RIGHT = re.compile(r'cannot (\S+) resource "([^"]+)" in API group "([^"]*)"')


class Conflict(Refused):
    """The object is there already, or changed since it was read: read it again."""


class Missing(Refused):
    """There is no such object, or no such kind of object."""


def no_answer(context: str, reason: str) -> Unavailable:
    """The API server could not be reached, or broke the connection off. `reason` is one short phrase."""
    return Unavailable(
        f"The API server of context {context} did not answer: {reason}.",
        field="context",
        next_step=f"Try again; `kubectl --context {context} version` shows whether it answers.",
    )


def from_status(context: str, status: int, body: Mapping[str, Any]) -> TidegateError:
    """The error for an HTTP `status` of 400 and more; `body` is Kubernetes' Status object, or empty."""
    message = str(body.get("message", "")).strip() or f"HTTP {status}"
    if status == 429 or status >= 500:
        return no_answer(context, f"HTTP {status}, {_short(message)}")
    if status == 401:
        return Refused(
            f"The credentials of context {context} are not accepted.",
            field="kubeconfig",
            next_step="Get a new token for its service account.",
        )
    if status == 403:
        return _forbidden(context, message)
    if status == 404:
        return Missing(f"{_sentence(message)} (context {context})", field=_kind(body, "context"))
    if status == 409:
        return Conflict(f"{_sentence(message)} (context {context})", field=_kind(body, "object"))
    return Refused(f"The API server of context {context} refused: {_short(message)}", field=_kind(body, "manifest"))


def missing_right(context: str, message: str) -> Refused | None:
    """The refusal for an RBAC denial, naming the right; None when `message` is about something else."""
    match = _RIGHT.search(message)
    if match is None:
        return None
    verb, resource, group = match.groups()
    what = f"{resource}.{group}" if group else resource
    return Refused(
        f"The service account of context {context} lacks the right to {verb} {what}.",
        field="role",
        next_step="Apply infrastructure/rbac/role.yaml to the namespace and bind it to that account.",
    )


def _forbidden(context: str, message: str) -> Refused:
    return missing_right(context, message) or Refused(
        f"The API server of context {context} forbids it: {_short(message)}", field="context"
    )


def _kind(body: Mapping[str, Any], otherwise: str) -> str:
    details = body.get("details") or {}
    kind, name = details.get("kind", ""), details.get("name", "")
    return f"{kind}/{name}" if kind and name else otherwise


def _sentence(message: str) -> str:
    text = _short(message)
    return f"{text[:1].upper()}{text[1:]}." if not text.endswith(".") else f"{text[:1].upper()}{text[1:]}"


def _short(message: str, limit: int = 500) -> str:
    text = " ".join(message.split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
