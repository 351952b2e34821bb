"""Slack on slack-sdk: a bot token where there is one, else one incoming webhook a channel.

An incoming webhook's address is a secret like the token: neither is ever in a message, an error or a log.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from clients import slack_errors, tracing
from clients.address import is_loopback, usable_token
from release.errors import Refused

Attachments = Sequence[Mapping[str, Any]]
TIMEOUT = 10.0
# slack-sdk logs addresses and headers while debugging; both hold secrets.
_SILENT = logging.getLogger("tidegate.slack")
_SILENT.setLevel(logging.CRITICAL + 1)


class Slack:
    """Slack's Web API at `url`, and `webhooks`: a channel's name without `#` -> its incoming webhook.

    Every method raises Unavailable (no answer, time-out, server error, rate limit) or Refused (a wrong token,
    webhook or channel, with the setting's name). Nothing is retried here: that is the caller's policy.
    """

    def __init__(self, url: str, webhooks: Mapping[str, str], token: str | None, *, timeout: float = TIMEOUT) -> None:
        self._url = url if url.endswith("/") else f"{url}/"
        self._webhooks = {name.removeprefix("#"): address.strip() for name, address in webhooks.items()}
        self._token = usable_token(token, "slack.token") if token is not None else None
        self._timeout = timeout

    async def post(
        self,
        channel: str,
        text: str,
        *,
        attachments: Attachments | None = None,
        username: str | None = None,
        icon: str | None = None,
        thread: str | None = None,
    ) -> str | None:
        """Post to `channel` (with or without `#`); `icon` is an emoji as `:fire:`.

        With a bot token the message's name is returned: give it to `update`, or as `thread` to answer below
        it. An incoming webhook has neither: it returns None, and posts a plain message.
        """
        name = channel.removeprefix("#")
        body: dict[str, Any] = {"text": text}
        body |= {"attachments": [dict(one) for one in attachments]} if attachments else {}
        body |= {"username": username} if username else {}
        body |= {"icon_emoji": icon} if icon else {}
        if self._token is None:
            await self._webhook(name, body)
            return None
        body |= {"thread_ts": _ts(thread)} if thread else {}
        answer = await self._call(name, lambda web: web.chat_postMessage(channel=f"#{name}", **body))
        return f"{answer['channel']}/{answer['ts']}"

    async def update(self, channel: str, message: str, text: str, *, attachments: Attachments | None = None) -> None:
        """Replace a message that `post` named. Raises Refused without a bot token."""
        name = channel.removeprefix("#")
        if self._token is None:
            raise Refused("A message can be changed only with a bot token.", field="slack.token")
        # Slack changes messages by the channel's id only, which is why the message's name holds it.
        place, _, ts = message.rpartition("/")
        parts = None if attachments is None else [dict(one) for one in attachments]
        await self._call(name, lambda web: web.chat_update(channel=place or name, ts=ts, text=text, attachments=parts))

    async def show(self, channel: str, message: str, pictures: Mapping[str, bytes]) -> None:
        """Pictures (what a person reads of one -> a PNG) in the thread of a message that `post` named; the bot needs
        the scope files:write. Raises Refused without a bot token: an incoming webhook takes no pictures.
        """
        name = channel.removeprefix("#")
        place, _, ts = message.rpartition("/")
        if self._token is None or not place:
            raise Refused("Pictures can be shown only with a bot token.", field="slack.token")
        uploads = [
            {"filename": f"{number}.png", "title": title, "alt_txt": title, "content": content}
            for number, (title, content) in enumerate(pictures.items(), 1)
        ]
        await self._call(name, lambda web: web.files_upload_v2(file_uploads=uploads, channel=place, thread_ts=ts))

    async def check(self) -> str:
        """The name of the bot's team, for a person who checks the settings. Raises Refused without a token."""
        if self._token is None:
            raise Refused("There is no bot token to check.", field="slack.token")
        answer = await self._call("", lambda web: web.auth_test())
        return str(answer.get("team", ""))

    async def _call(self, channel: str, call: Callable[[AsyncWebClient], Awaitable[Any]]) -> Mapping[str, Any]:
        async with self._session(self._url) as session:
            web = AsyncWebClient(
                token=self._token, base_url=self._url, session=session, logger=_SILENT, retry_handlers=[]
            )
            web.proxy = None
            try:
                with tracing.call("slack", "post"):
                    answer = await call(web)
                return dict(answer.data)
            except SlackApiError as error:
                raise slack_errors.from_api(channel, error) from None
            except SlackRequestError:
                raise slack_errors.upload() from None
            except (aiohttp.ClientError, TimeoutError, OSError, TypeError, ValueError) as error:
                raise slack_errors.unreachable(error) from None

    async def _webhook(self, channel: str, body: dict[str, Any]) -> None:
        address = self._webhooks.get(channel)
        if not address:
            raise Refused(
                f"There is neither a bot token nor a webhook for #{channel}.",
                field=f"slack.webhooks.{channel}",
                next_step="Add the channel's incoming webhook, or a bot token, to the settings.",
            )
        async with self._session(address) as session:
            client = AsyncWebhookClient(address, session=session, logger=_SILENT, retry_handlers=[])
            client.proxy = None
            try:
                answer = await client.send_dict(body)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                raise slack_errors.unreachable(error) from None
        if answer.status_code != 200 or answer.body != "ok":
            raise slack_errors.from_webhook(channel, answer)

    def _session(self, address: str) -> aiohttp.ClientSession:
        # A session of our own, because slack-sdk would send loopback addresses to the environment's proxy.
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout), trust_env=not is_loopback(address)
        )


def _ts(message: str) -> str:
    return message.rpartition("/")[2]
