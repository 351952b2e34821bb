"""Slack, simulated: an incoming webhook a channel, and of the Web API what a bot needs to post, edit and show pictures.

As in Slack, a message is posted to a channel's name or id, but changed by the channel's id only, and errors of
the Web API come with status 200 as {"ok": false, "error": "..."}.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from sandbox.services.site import Site
from sandbox.services.slack_files import Files
from sandbox.services.slack_message import Message, attachments_of, body_of, has_content

__all__ = ["Message", "Slack"]

_TEAM = "T0TIDEGATE"
_BOT = "B0TIDEGATE"


class Slack:
    """Workspace with `channels` (names without #), of which the bot with `token` is a member.

    `messages` holds every message, oldest first; with `token` None the Web API accepts nobody.
    """

    def __init__(self, channels: Sequence[str], token: str | None, *, port: int = 0) -> None:
        self._token = token
        self.messages: list[Message] = []
        self._ids = {name: f"C{number:08d}" for number, name in enumerate(channels, 1)}
        self._paths = {
            f"/services/{_TEAM}/B{number:08d}/{secrets.token_hex(12)}": name for number, name in enumerate(channels, 1)
        }
        self._files = Files()
        app = web.Application(client_max_size=8 * 1024 * 1024)
        self._files.add_routes(app)
        app.router.add_post("/services/{rest:.*}", self._webhook)
        app.router.add_route("*", "/api/{method}", self._api)
        self._site = Site(app, port=port)

    @property
    def url(self) -> str:
        """The Web API's address."""
        return f"{self._site.url}/api"

    @property
    def webhooks(self) -> Mapping[str, str]:
        """Channel -> its incoming webhook, whose address is the secret."""
        return {name: f"{self._site.url}{path}" for path, name in self._paths.items()}

    def channel(self, name: str) -> list[Message]:
        """The messages of a channel, oldest first."""
        return [message for message in self.messages if message.channel == name]

    async def start(self) -> None:
        await self._site.start()

    async def stop(self) -> None:
        await self._site.stop()

    async def _webhook(self, request: web.Request) -> web.Response:
        channel = self._paths.get(request.path)
        if channel is None:
            return web.Response(status=404, text="no_service")
        body = await body_of(request)
        if body is None:
            return web.Response(status=400, text="invalid_payload")
        if not has_content(body):
            return web.Response(status=400, text="no_text")
        self._keep(channel, body)
        return web.Response(text="ok")

    async def _api(self, request: web.Request) -> web.Response:
        body = {**request.query, **(await body_of(request) or {})}
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(body.get("token", ""))
        methods = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "files.getUploadURLExternal": lambda body: self._files.announce(body, self._site.url),
            "files.completeUploadExternal": self._show_files,
        }
        method = methods.get(request.match_info["method"])
        if method is None:
            answer: Mapping[str, Any] = _error("unknown_method")
        elif not token:
            answer = _error("not_authed")
        elif self._token is None or not hmac.compare_digest(token.encode(), self._token.encode()):
            answer = _error("invalid_auth")
        else:
            answer = method(body)
        return web.json_response(answer)

    def _auth_test(self, _body: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"ok": True, "url": f"{self._site.url}/", "team": "Sandbox", "team_id": _TEAM, "bot_id": _BOT}

    def _post_message(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        place = str(body.get("channel", ""))
        names = {**{number: name for name, number in self._ids.items()}, **{name: name for name in self._ids}}
        channel = names.get(place.removeprefix("#"))
        thread = body.get("thread_ts")
        if channel is None:
            return _error("channel_not_found")
        if not has_content(body):
            return _error("no_text")
        if thread and not any(one.ts == thread for one in self.channel(channel)):
            return _error("thread_not_found")
        return self._told(self._keep(channel, body))

    def _update(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        channel = next((name for name, number in self._ids.items() if number == body.get("channel")), None)
        if channel is None:
            return _error("channel_not_found")
        found = next((one for one in self.channel(channel) if one.ts == body.get("ts")), None)
        if found is None:
            return _error("message_not_found")
        if not has_content(body):
            return _error("no_text")
        found.history.append(found.text)
        found.text = str(body.get("text") or "")
        found.edits += 1
        if "attachments" in body:
            found.attachments = attachments_of(body["attachments"])
        return self._told(found)

    def _show_files(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        channel = next((name for name, number in self._ids.items() if number == body.get("channel_id")), None)
        if channel is None:
            return _error("channel_not_found")
        files = self._files.named(body, self._site.url)
        if files is None:
            return _error("file_not_found")
        self._keep(channel, {"thread_ts": body.get("thread_ts")}).files = files
        return {"ok": True, "files": [{"id": one["id"], "title": one["title"]} for one in files]}

    def _told(self, message: Message) -> Mapping[str, Any]:
        shown = {"type": "message", "bot_id": _BOT, "text": message.text, "ts": message.ts}
        if message.thread:
            shown["thread_ts"] = message.thread
        channel = self._ids[message.channel]
        return {"ok": True, "channel": channel, "ts": message.ts, "text": message.text, "message": shown}

    def _keep(self, channel: str, body: Mapping[str, Any]) -> Message:
        # Two messages never share a ts: Slack names a message by it.
        micros = time.time_ns() // 1000
        if self.messages:
            micros = max(micros, int(self.messages[-1].ts.replace(".", "")) + 1)
        message = Message(
            channel=channel,
            ts=f"{micros // 1_000_000}.{micros % 1_000_000:06d}",
            text=str(body.get("text") or ""),
            attachments=attachments_of(body.get("attachments")),
            username=body.get("username"),
            icon=body.get("icon_emoji"),
            thread=body.get("thread_ts") or None,
        )
        self.messages.append(message)
        return message


def _error(word: str) -> Mapping[str, Any]:
    return {"ok": False, "error": word}
