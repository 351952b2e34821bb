"""Pictures in the simulated Slack: an address for each, the upload, and the message that shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from aiohttp import web

_LARGEST = 4 * 1024 * 1024


class Files:
    """Slack's three steps: ask for an address, send the bytes there, then name the files in a message."""

    def __init__(self) -> None:
        self._numbers = count(1)
        # File -> its length as it was announced, and what was sent.
        self._announced: dict[str, int] = {}
        self._sent: dict[str, bytes] = {}

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/upload/v1/{file}", self._upload)
        app.router.add_get("/files/{file}", self._show)

    def announce(self, body: Mapping[str, Any], url: str) -> Mapping[str, Any]:
        """`files.getUploadURLExternal` of a site at `url`."""
        length = str(body.get("length") or "")
        if not body.get("filename") or not length.isdigit() or not 0 < int(length) <= _LARGEST:
            return {"ok": False, "error": "invalid_arguments"}
        file = f"F{next(self._numbers):08d}"
        self._announced[file] = int(length)
        return {"ok": True, "file_id": file, "upload_url": f"{url}/upload/v1/{file}"}

    def named(self, body: Mapping[str, Any], url: str) -> list[dict[str, str]] | None:
        """The files of a `files.completeUploadExternal`: id, title and url of each; None where one was never sent."""
        try:
            files = json.loads(body["files"]) if isinstance(body["files"], str) else body["files"]
            found = [
                {"id": one["id"], "title": one.get("title") or "", "url": f"{url}/files/{one['id']}"} for one in files
            ]
        except (KeyError, TypeError, ValueError):
            return None
        return found if found and all(one["id"] in self._sent for one in found) else None

    async def _upload(self, request: web.Request) -> web.Response:
        file, content = request.match_info["file"], await request.read()
        if self._announced.get(file) != len(content):
            return web.Response(status=400, text="length_mismatch")
        self._sent[file] = content
        return web.Response(text=f"OK - {len(content)}")

    async def _show(self, request: web.Request) -> web.Response:
        content = self._sent.get(request.match_info["file"])
        return web.Response(status=404) if content is None else web.Response(body=content, content_type="image/png")
