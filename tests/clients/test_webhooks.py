"""Webhooks of one's own house, told apart at the transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from clients.webhooks import post_json, request_backup
from release.errors import Refused, TidegateError, Unavailable

URL = "https://hooks.example/secret-path"
TOKEN = "backup-secret"
PAYLOAD = {"type": "pre-release", "tag": "v1.5.0"}


def answering(status: int, body: Any = None, text: str | None = None, **headers: str) -> httpx.MockTransport:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if text is not None:
        return httpx.MockTransport(lambda _: httpx.Response(status, text=text, headers=named))
    return httpx.MockTransport(lambda _: httpx.Response(status, json=body, headers=named))


async def backup_fails(transport: httpx.MockTransport) -> TidegateError:
    with pytest.raises(TidegateError) as error:
        await request_backup(URL, PAYLOAD, token=TOKEN, timeout=5, transport=transport)
    assert "secret" not in str(error.value)
    return error.value


async def test_the_payload_is_sent_as_the_originals_sent_it() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(202, json={"id": 5})

    backup = await request_backup(URL, PAYLOAD, token=f"{TOKEN}\n", timeout=5, transport=httpx.MockTransport(answer))
    assert (backup.id, backup.done) == ("5", False)
    assert sent[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent[0].content == b'{"type":"pre-release","tag":"v1.5.0"}'


@pytest.mark.parametrize(
    ("body", "done"),
    [({"status": "completed", "id": "b1"}, True), ({"status": "In-Progress"}, False), ({"id": "b1"}, False)],
)
async def test_an_answer_that_promises_a_backup_is_believed(body: dict[str, str], done: bool) -> None:
    transport = answering(200, body)
    assert (await request_backup(URL, PAYLOAD, token=None, timeout=5, transport=transport)).done is done


@pytest.mark.parametrize(
    "transport",
    [
        answering(200, {"id": "b1", "status": "failed"}),
        answering(200, {}),
        answering(200, ["b1"]),
        answering(200, text="ok"),
        answering(200, text="<html>"),
        answering(204, text=""),
    ],
)
async def test_any_other_good_answer_is_no_backup(transport: httpx.MockTransport) -> None:
    error = await backup_fails(transport)
    assert isinstance(error, Refused)
    assert error.field == "backup.url"


@pytest.mark.parametrize(("status", "field"), [(401, "backup.token"), (403, "backup.token"), (404, "backup.url")])
async def test_a_wrong_setting_is_refused_by_name(status: int, field: str) -> None:
    error = await backup_fails(answering(status, {}))
    assert isinstance(error, Refused)
    assert error.field == field
    redirected = await backup_fails(answering(302, {}, location="https://elsewhere.example/secret"))
    assert isinstance(redirected, Refused)


async def test_a_service_that_cannot_answer_now_is_unavailable() -> None:
    error = await backup_fails(answering(503, {}, retry_after="7"))
    assert isinstance(error, Unavailable)
    assert error.next_step == "Try again in 7 s."
    assert isinstance(await backup_fails(answering(429, {})), Unavailable)


@pytest.mark.parametrize("cause", [httpx.ReadTimeout, httpx.ConnectError])
async def test_no_answer_is_unavailable(cause: Callable[[str], httpx.TransportError]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise cause(URL)

    assert isinstance(await backup_fails(httpx.MockTransport(answer)), Unavailable)


async def test_an_address_or_token_that_cannot_be_one_is_refused() -> None:
    for url in ("nowhere", "ftp://hooks.example/", "http://[::1/"):
        with pytest.raises(Refused) as refused:
            await post_json(url, {}, token=None, timeout=5, name="monitoring")
        assert refused.value.field == "monitoring.url"
    with pytest.raises(Refused) as refused:
        await post_json(URL, {}, token="two words", timeout=5, name="monitoring")
    assert refused.value.field == "monitoring.token"


async def test_monitoring_may_answer_what_it_likes() -> None:
    for transport in (answering(200, text="ok"), answering(204, text=""), answering(200, [1])):
        assert await post_json(URL, {}, token=None, timeout=5, transport=transport) == {}
