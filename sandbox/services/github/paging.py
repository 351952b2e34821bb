"""Lists in pages, with GitHub's Link header."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web

from sandbox.services.github.shapes import Json

Item = TypeVar("Item")


def asked(request: web.Request) -> tuple[int, int]:
    """(page, items a page) that the request asks for."""
    numbers = []
    for name, otherwise, most in (("page", 1, 10_000), ("per_page", 30, 100)):
        text = request.query.get(name, "")
        numbers.append(min(max(int(text), 1), most) if text.isdigit() else otherwise)
    return numbers[0], numbers[1]


def page(request: web.Request, items: Sequence[Item]) -> Sequence[Item]:
    number, size = asked(request)
    return items[(number - 1) * size : number * size]


def links(request: web.Request, total: int) -> dict[str, str]:
    """The Link header; none where everything is on one page."""
    number, size = asked(request)
    last = -(-total // size)
    if last <= 1:
        return {}
    targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number <= 1:
        targets = {"next": number + 1, "last": last}
    elif number >= last:
        targets = {"prev": number - 1, "first": 1}
    parts = [f'<{request.url.update_query(page=str(to))}>; rel="{word}"' for word, to in targets.items()]
    return {"Link": ", ".join(parts)}


def listing(request: web.Request, items: Sequence[Json]) -> web.Response:
    """The page of `items` that the request asks for."""
    body = json.dumps(list(page(request, items)))
    return web.Response(text=body, content_type="application/json", headers=links(request, len(items)))
