"""A message of the simulated Slack, and how the body of a request is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(slots=True)
class Message:
    """A message as its channel (`deployments`, without #) shows it; `thread` is the `ts` of its first one.

    Each of `files` has id, title and url.
    """

    channel: str
    ts: str
    text: str
    attachments: Sequence[Mapping[str, Any]] = ()
    username: str | None = None
    icon: str | None = None
    thread: str | None = None
    files: Sequence[Mapping[str, str]] = ()
    edits: int = 0
    history: list[str] = field(default_factory=list)


def has_content(body: Mapping[str, Any]) -> bool:
    """Whether there is anything to show."""
    return bool(body.get("text") or body.get("attachments") or body.get("blocks"))


def attachments_of(value: Any) -> list[Mapping[str, Any]]:
    """Attachments, which a form holds as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


async def body_of(request: web.Request) -> dict[str, Any] | None:
    """The body's object, from JSON, a form, or a form's field `payload`; None when it is none of them."""
    try:
        if request.content_type == "application/json":
            value = await request.json()
        else:
            form = {name: str(content) for name, content in (await request.post()).items()}
            value = json.loads(form["payload"]) if "payload" in form else form
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
