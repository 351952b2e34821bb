"""Slack's failures, told apart over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from clients.slack import Slack
from release.errors import Refused, TidegateError, Unavailable
from sandbox.services.site import Site

TOKEN = "xoxb-secret"
Answer = Callable[[], web.Response]


@asynccontextmanager
async def answering(answer: Answer, delay: float = 0.0) -> AsyncIterator[str]:
    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(delay)
        return answer()

    app = web.Application()
    app.router.add_post("/{rest:.*}", handle)
    site = Site(app)
    await site.start()
    try:
        yield site.url
    finally:
        await site.stop()


async def failed(answer: Answer, token: str | None, delay: float = 0.0) -> TidegateError:
    async with answering(answer, delay) as url:
        slack = Slack(url, {"releases": f"{url}/services/secret"}, token, timeout=0.3)
        with pytest.raises(TidegateError) as error:
            await slack.post("releases", "text")
    assert "secret" not in str(error.value)
    return error.value


def api(word: str, status: int = 200, **headers: str) -> Answer:
    return lambda: web.json_response({"ok": False, "error": word}, status=status, headers=headers)


def text(body: str, status: int, kind: str = "text/plain", **headers: str) -> Answer:
    return lambda: web.Response(text=body, status=status, content_type=kind, headers=headers)


@pytest.mark.parametrize(
    ("answer", "token"),
    [
        (api("internal_error"), TOKEN),
        (api("service_unavailable", 503), TOKEN),
        (text("<html>secret</html>", 502, "text/html"), TOKEN),
        (text("<html>secret</html>", 200, "text/html"), TOKEN),
        (text("not json", 200, "application/json"), TOKEN),
        (text("rollup_error", 500), None),
        (text("<html>secret</html>", 200, "text/html"), None),
    ],
)
async def test_a_slack_that_cannot_answer_is_unavailable(answer: Answer, token: str | None) -> None:
    assert isinstance(await failed(answer, token), Unavailable)


@pytest.mark.parametrize("token", [TOKEN, None])
async def test_a_rate_limit_says_when_to_try_again(token: str | None) -> None:
    answer = {TOKEN: api("ratelimited", 429, **{"Retry-After": "30"})}.get(
        token or "", text("rate_limited", 429, **{"Retry-After": "30"})
    )
    error = await failed(answer, token)
    assert isinstance(error, Unavailable)
    assert error.next_step == "Try again in 30 s."


@pytest.mark.parametrize("token", [TOKEN, None])
async def test_a_slow_slack_is_unavailable(token: str | None) -> None:
    error = await failed(text("ok", 200), token, delay=2.0)
    assert isinstance(error, Unavailable)
    assert "in time" in str(error)


@pytest.mark.parametrize(
    ("answer", "token", "field"),
    [
        (api("invalid_auth"), TOKEN, "slack.token"),
        (api("missing_scope"), TOKEN, "slack.token"),
        (api("not_in_channel"), TOKEN, "slack"),
        (api("msg_too_long"), TOKEN, "slack"),
        (text("no_service", 404), None, "slack.webhooks.releases"),
        (text("invalid_token", 403), None, "slack.webhooks.releases"),
        (text("channel_is_archived", 410), None, "slack"),
        (text("invalid_payload", 400), None, "slack"),
    ],
)
async def test_a_wrong_setting_is_refused_by_name(answer: Answer, token: str | None, field: str) -> None:
    error = await failed(answer, token)
    assert isinstance(error, Refused)
    assert error.field == field


async def test_an_address_or_token_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(Refused, match="not one that can be called") as refused:
        await Slack("http://127.0.0.1:9/api", {"releases": "secret nonsense"}, None).post("releases", "text")
    assert "secret" not in str(refused.value)
    with pytest.raises(Refused):
        Slack("http://127.0.0.1:9/api", {}, "two words")
