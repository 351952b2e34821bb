"""Slack's client against the simulated Slack: both say what Slack says."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from clients.slack import Slack as Client
from release.errors import Refused, Unavailable
from sandbox.services.slack import Slack

TOKEN = "xoxb-sandbox"
CARD = {"color": "danger", "title": "Hotfix", "fields": [{"title": "Region", "value": "us-east-1", "short": True}]}


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    simulated = Slack(["deployments", "incidents"], TOKEN)
    await simulated.start()
    yield simulated
    await simulated.stop()


async def test_a_webhook_posts_a_plain_message_to_its_channel(slack: Slack) -> None:
    client = Client(slack.url, slack.webhooks, None)
    name = await client.post("#incidents", "text", attachments=[CARD], username="Bot", icon=":fire:")
    (message,) = slack.messages
    assert name is None
    assert (message.channel, message.text, message.username, message.icon) == (
        "incidents",
        "text",
        "Bot",
        ":fire:",
    )
    assert list(message.attachments) == [CARD]


async def test_a_bot_posts_answers_in_the_thread_and_edits(slack: Slack) -> None:
    client = Client(slack.url, {}, TOKEN)
    first = await client.post("deployments", "started")
    assert first is not None
    await client.post("deployments", "step", thread=first)
    await Client(slack.url, {}, TOKEN).update("deployments", first, "done", attachments=[CARD])
    started, step = slack.channel("deployments")
    assert (started.text, started.edits, started.history) == ("done", 1, ["started"])
    assert list(started.attachments) == [CARD]
    assert step.thread == started.ts


async def test_a_bot_shows_pictures_in_the_thread(slack: Slack) -> None:
    client = Client(slack.url, {}, TOKEN)
    first = await client.post("incidents", "v1.5.0 was bad")
    assert first is not None
    await client.show("incidents", first, {"us-east-1": b"one picture", "eu-west-1": b"another"})
    told, shown = slack.channel("incidents")
    assert shown.thread == told.ts
    assert [one["title"] for one in shown.files] == ["us-east-1", "eu-west-1"]
    async with httpx.AsyncClient(trust_env=False) as page:
        assert [(await page.get(one["url"])).content for one in shown.files] == [b"one picture", b"another"]
    with pytest.raises(Refused, match="only with a bot token"):
        await Client(slack.url, slack.webhooks, None).show("incidents", first, {"us-east-1": b"one picture"})


async def test_an_unknown_channel_is_refused_by_name(slack: Slack) -> None:
    with pytest.raises(Refused, match=r"#nowhere \(channel_not_found\)"):
        await Client(slack.url, {}, TOKEN).post("nowhere", "text")
    with pytest.raises(Refused) as refused:
        await Client(slack.url, slack.webhooks, None).post("nowhere", "text")
    assert refused.value.field == "slack.webhooks.nowhere"


async def test_a_wrong_token_and_a_wrong_webhook_name_their_setting_and_no_secret(slack: Slack) -> None:
    with pytest.raises(Refused) as refused:
        await Client(slack.url, {}, "xoxb-wrong").post("deployments", "text")
    assert refused.value.field == "slack.token"
    assert "xoxb" not in str(refused.value)
    wrong = slack.webhooks["deployments"][:-3] + "aaa"
    with pytest.raises(Refused) as refused:
        await Client(slack.url, {"deployments": wrong}, None).post("deployments", "text")
    assert refused.value.field == "slack.webhooks.deployments"
    assert "services" not in str(refused.value)


async def test_only_a_bot_can_edit(slack: Slack) -> None:
    with pytest.raises(Refused, match="bot token"):
        await Client(slack.url, slack.webhooks, None).update("deployments", "C1/1.0", "text")
    with pytest.raises(Refused, match="message_not_found"):
        await Client(slack.url, {}, TOKEN).update("deployments", "C00000001/1.0", "text")


async def test_a_slack_that_is_down_is_unavailable_without_its_secret_address(
    slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await slack.stop()
    secret = slack.webhooks["deployments"].rpartition("/")[2]
    for token in (None, TOKEN):
        with pytest.raises(Unavailable) as error:
            await Client(slack.url, slack.webhooks, token).post("deployments", "text")
        assert secret not in str(error.value)
    assert secret not in caplog.text
    assert TOKEN not in caplog.text


async def test_the_environments_proxy_is_not_asked_for_loopback(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await Client(slack.url, slack.webhooks, None).post("deployments", "by webhook")
    await Client(slack.url, slack.webhooks, TOKEN).post("deployments", "by bot")
    assert [message.text for message in slack.messages] == ["by webhook", "by bot"]
    assert await Client(slack.url, {}, TOKEN).check() == "Sandbox"


async def test_it_answers_as_slack_and_says_that_it_is_not(slack: Slack) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        webhook = slack.webhooks["deployments"]
        assert (await http.post(webhook, json={"text": "a"})).text == "ok"
        assert (await http.post(webhook, data={"payload": '{"text": "b"}'})).text == "ok"
        assert (await http.post(webhook, json={})).text == "no_text"
        assert (await http.post(webhook, content=b"{")).status_code == 400
        gone = await http.post(f"{webhook}x", json={"text": "a"})
        assert (gone.status_code, gone.text) == (404, "no_service")
        answer = await http.post(f"{slack.url}/chat.postMessage", data={"channel": "#deployments", "text": "x"})
        assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": "not_authed"})
        assert answer.headers["X-Simulated-By"] == "tidegate-sandbox"
