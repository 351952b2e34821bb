"""GitHub's webhook: what is kept, what is answered and forgotten, and what is turned away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from hooks import MOST, Door, door, headers, pushed, signed, sqlite

from config.service import Service
from deployments.service.main import bound, prepared
from deployments.service.webhook import PATH
from sandbox.ports import free_port


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Door]:
    async with door(sqlite(tmp_path)) as found:
        yield found


async def test_a_push_to_main_is_kept_as_the_run_it_asks_for(service: Door) -> None:
    answer = await service.deliver(pushed())
    assert (answer.status_code, answer.json()["status"]) == (202, "kept")
    (kept,) = await service.kept()
    assert (kept.id, kept.event, kept.pipeline, kept.line) == ("d-1", "push", "staging", "staging main")
    assert kept.parameters == {"ref": "main", "actor": "ada", "wait_for_lock": True}
    assert service.woken == [True]


async def test_a_hundred_redeliveries_are_one(service: Door) -> None:
    answers = await asyncio.gather(*(service.deliver(pushed()) for _ in range(100)))
    assert sorted(answer.status_code for answer in answers) == [200] * 99 + [202]
    assert len(await service.kept()) == 1


async def test_a_recorded_delivery_under_another_id_starts_nothing(service: Door) -> None:
    await service.deliver(pushed())
    again = await service.deliver(pushed(), delivery="d-2")
    assert (again.status_code, again.json()["status"]) == (200, "known")
    assert len(await service.kept()) == 1


async def test_a_newer_push_takes_the_place_of_one_that_waits(service: Door) -> None:
    for number in range(3):
        await service.deliver(pushed("feature/a", after=str(number)), delivery=f"a-{number}")
        await service.deliver(pushed("hotfix/b", after=str(number)), delivery=f"b-{number}")
    assert [one.id for one in await service.kept()] == ["b-0", "b-1", "a-2", "b-2"]


async def test_a_replay_takes_nothings_place(service: Door) -> None:
    old, new = pushed("feature/a", after="1"), pushed("feature/a", after="2")
    await service.deliver(old, delivery="old")
    await service.deliver(new, delivery="new")
    await service.deliver(old, delivery="forged")
    assert [one.id for one in await service.kept()] == ["new"]


@pytest.mark.parametrize("event", ["ping", "issues", "check_run"])
async def test_unknown_events_are_answered_and_ignored(service: Door, event: str) -> None:
    answer = await service.deliver(b'{"zen": "Keep it simple."}', event=event)
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert await service.kept() == []


@pytest.mark.parametrize(
    "given",
    ["", "sha256=", "sha256=" + "0" * 64, signed(pushed())[7:], "sha1=" + "0" * 40, signed(pushed(), b"another"), "é"],
)
async def test_what_is_not_signed_is_not_read(service: Door, given: str) -> None:
    body = pushed()
    raw = {name: value.encode() for name, value in headers(body, signature=given).items()}
    answer = await service.http.post(PATH, content=body, headers=raw)
    assert answer.status_code == 401
    assert await service.kept() == []


async def test_a_body_that_was_changed_on_its_way_is_not_believed(service: Door) -> None:
    body = pushed()
    answer = await service.deliver(body.replace(b"main", b"mail"), signature=signed(body))
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff\xfe", b"[" * 9_000, b'{"a":' * 3_000, b"1" * 9_000])
async def test_what_is_no_object_is_answered_so(service: Door, body: bytes) -> None:
    answer = await service.deliver(body)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]


async def test_a_delivery_without_its_headers_is_answered_so(service: Door) -> None:
    for missing in ("X-GitHub-Event", "X-GitHub-Delivery"):
        sent = {name: value for name, value in headers(pushed()).items() if name != missing}
        answer = await service.http.post(PATH, content=pushed(), headers=sent)
        assert answer.status_code == 400
    assert (await service.deliver(pushed(), delivery="../../x")).status_code == 400


async def test_large_bodies_are_not_read_whole(service: Door) -> None:
    body, taken = b"x" * (MOST + 1), 0
    assert (await service.deliver(body)).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1_000

    answer = await service.http.post(PATH, content=endless(), headers=headers(b""))
    assert answer.status_code == 413
    assert taken <= MOST / 1_000 + 2


async def test_each_caller_has_a_rate(tmp_path: Path) -> None:
    async with door(sqlite(tmp_path), rate=0.5, burst=3) as service:
        codes = [(await service.deliver(pushed(), signature="")).status_code for _ in range(5)]
        assert codes == [401, 401, 401, 429, 429]
        answer = await service.deliver(pushed())
        assert answer.headers["Retry-After"] == "2"
        other = httpx.ASGITransport(service.app, client=("10.0.0.9", 1))
        async with httpx.AsyncClient(transport=other, base_url="http://tidegate") as http:
            assert (await http.post(PATH, content=pushed(), headers=headers(pushed()))).status_code == 202
        assert (await service.http.get("/healthz")).status_code == 200


@pytest.mark.parametrize(("trusted", "codes"), [(("10.1.0.0/16",), [401, 401]), ((), [401, 429])])
async def test_who_is_behind_a_trusted_proxy_has_a_rate_of_his_own(
    tmp_path: Path, trusted: tuple[str, ...], codes: list[int]
) -> None:
    settings = Service.model_validate({"trusted_proxies": trusted})
    async with door(sqlite(tmp_path), rate=0.5, burst=1) as service:
        config = prepared(settings, service.app).config
        config.load()
        # What uvicorn calls is an ASGI application as the others are.
        transport = httpx.ASGITransport(cast(Any, config.loaded_app), client=("10.1.2.3", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://tidegate") as http:
            found = [await http.post(PATH, headers={"X-Forwarded-For": f"192.0.2.{who}"}) for who in (1, 2)]
    assert [one.status_code for one in found] == codes


def test_an_answer_is_not_held_back_until_the_caller_acknowledged_its_first_part() -> None:
    with (
        bound(Service(port=free_port())) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_its_health_and_its_description(service: Door) -> None:
    await service.deliver(pushed())
    assert (await service.http.get("/healthz")).json() == {"status": "alive"}
    ready = await service.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "database": True, "prefect": False, "waiting": 1, "refused": 0},
    )
    described = (await service.http.get("/openapi.json")).json()
    operation = described["paths"][PATH]["post"]
    assert {"200", "202", "400", "401", "413", "503"} <= set(operation["responses"])
    assert [one["name"] for one in operation["parameters"]] == [
        "X-GitHub-Event",
        "X-GitHub-Delivery",
        "X-Hub-Signature-256",
    ]
