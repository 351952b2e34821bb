"""Asking the Prefect server for runs, told apart at the transport."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from clients.prefect_api import Deployment, FlowRun, NotAccepted, PrefectApi
from release.errors import Refused, Unavailable

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
PRODUCTION = Deployment("d1", "production", "tidegate")


def api(answer: Callable[[httpx.Request], httpx.Response]) -> PrefectApi:
    return PrefectApi(
        "http://prefect/api/", headers={"Authorization": "Basic x"}, transport=httpx.MockTransport(answer)
    )


def always(status: int, body: Any = None) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json=body)


async def test_a_deployment_is_found_by_its_flow() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"id": "d1", "name": "production", "work_pool_name": "tidegate"})

    async with api(answer) as prefect:
        assert await prefect.deployment("production") == PRODUCTION
    assert asked[0].url.path == "/api/deployments/name/production/production"
    assert asked[0].headers["Authorization"] == "Basic x"


async def test_what_is_not_registered_is_none() -> None:
    async with api(always(404, {"detail": "Not Found"})) as prefect:
        assert await prefect.deployment("production") is None
        assert await prefect.workers("tidegate", NOW) == 0


@pytest.mark.parametrize(
    ("worker", "count"),
    [
        ({"status": "ONLINE", "last_heartbeat_time": "2026-01-01T11:59:50Z", "heartbeat_interval_seconds": 5}, 1),
        ({"status": "ONLINE", "last_heartbeat_time": "2026-01-01T11:59:40Z", "heartbeat_interval_seconds": 5}, 0),
        ({"status": "ONLINE", "last_heartbeat_time": "2026-01-01T11:59:00Z", "heartbeat_interval_seconds": None}, 1),
        ({"status": "ONLINE", "last_heartbeat_time": None, "heartbeat_interval_seconds": 30}, 0),
        ({"status": "OFFLINE", "last_heartbeat_time": "2026-01-01T11:59:59Z", "heartbeat_interval_seconds": 5}, 0),
    ],
)
async def test_a_worker_counts_while_it_is_heard(worker: dict[str, Any], count: int) -> None:
    async with api(always(200, [worker])) as prefect:
        assert await prefect.workers("tidegate", NOW) == count


async def test_a_run_is_asked_for_by_its_key() -> None:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        state = {"type": "SCHEDULED", "name": "Scheduled"}
        return httpx.Response(201, json={"id": "r1", "name": "calm", "state": state, "run_count": 0})

    async with api(answer) as prefect:
        run = await prefect.create(PRODUCTION, {"tag": "v1.4.0"}, key="k", tags=("github",))
        await prefect.create(PRODUCTION, {"strategy": "sideways"}, key="k", checked=False)
    assert run == FlowRun("r1", "calm", "SCHEDULED", "Scheduled")
    assert run.queued
    assert bodies[0] == {"parameters": {"tag": "v1.4.0"}, "idempotency_key": "k", "tags": ["github"]}
    assert bodies[1]["enforce_parameter_schema"] is False


@pytest.mark.parametrize(
    ("kind", "becomes"),
    [("SCHEDULED", "CANCELLED"), ("PAUSED", "CANCELLED"), ("PENDING", "CANCELLING"), ("RUNNING", "CANCELLING")],
)
async def test_a_run_with_a_process_is_ended_by_its_worker(kind: str, becomes: str) -> None:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(201, json={"status": "ACCEPT"})

    async with api(answer) as prefect:
        assert await prefect.cancel(FlowRun("r1", "calm", kind, kind.capitalize()), "why")
    assert bodies == [{"state": {"type": becomes, "name": becomes.capitalize(), "message": "why"}, "force": False}]


@pytest.mark.parametrize(("status", "detail"), [(409, "Validation failed for field 'tag'."), (422, "no"), (400, "no")])
async def test_what_is_not_accepted_is_refused_with_the_servers_words(status: int, detail: str) -> None:
    async with api(always(status, {"detail": detail})) as prefect:
        with pytest.raises(Refused, match=detail):
            await prefect.create(PRODUCTION, {}, key="k")


@pytest.mark.parametrize("status", [500, 502, 503, 429])
async def test_a_server_in_trouble_is_unavailable(status: int) -> None:
    async with api(always(status)) as prefect:
        with pytest.raises(Unavailable):
            await prefect.read(["r1"])
        assert not await prefect.healthy()


async def test_no_answer_is_unavailable() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with api(refuse) as prefect:
        with pytest.raises(Unavailable, match="ConnectError"):
            await prefect.unfinished()
        assert not await prefect.healthy()


async def test_nothing_is_asked_about_no_runs() -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    async with api(never) as prefect:
        assert await prefect.read([]) == []


@pytest.mark.parametrize(
    "answer", [httpx.Response(302, headers={"Location": "/login"}), httpx.Response(200, html="<h1>Log in</h1>")]
)
async def test_a_proxys_page_is_no_answer(answer: httpx.Response) -> None:
    async with api(lambda _: answer) as prefect:
        with pytest.raises(Unavailable):
            await prefect.unfinished()


async def test_who_is_not_let_in_is_told_what_to_set() -> None:
    async with api(always(401, {"detail": "Unauthorized"})) as prefect:
        with pytest.raises(Refused, match="PREFECT_API_AUTH_STRING") as error:
            await prefect.unfinished()
    assert not isinstance(error.value, NotAccepted)
