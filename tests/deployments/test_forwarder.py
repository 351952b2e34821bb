"""Deliveries become runs: each once, whatever dies in between, and a queued one gives way to a newer push."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from fake_prefect_api import FakePrefectApi
from hooks import Door, door, pushed, sqlite
from sqlalchemy import select

from clients.prefect_api import PrefectApi
from clients.store import Store
from clients.tables import asked, audit
from deployments.service.forwarder import Forwarder
from deployments.service.main import beside
from release.errors import Refused

FLOWS = ("development", "staging", "production", "hotfix")


async def until(holds: Callable[[], object]) -> bool:
    for _ in range(1_000):
        if holds():
            return True
        await asyncio.sleep(0.01)
    return False


def forwarding(service: Door, runs: PrefectApi, told: list[str] | None = None) -> Forwarder:
    async def tell(text: str) -> None:
        (told if told is not None else []).append(text)

    return Forwarder(service.deliveries, runs, tell)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Door]:
    async with door(sqlite(tmp_path)) as found:
        yield found


async def test_a_delivery_becomes_the_run_that_it_asks_for(service: Door, tmp_path: Path) -> None:
    prefect = FakePrefectApi(*FLOWS)
    await service.deliver(pushed(), delivery="d-1")
    async with prefect.client() as runs:
        assert await forwarding(service, runs).forward() is False
    run = prefect.runs["github-d-1"]
    assert run["parameters"] == {"ref": "main", "actor": "ada", "wait_for_lock": True}
    assert run["tags"] == ["github", "push"]
    assert await service.kept() == []
    async with Store(sqlite(tmp_path)) as store, store.begin() as connection:
        (row,) = (await connection.execute(select(asked))).mappings()
        (told,) = (await connection.execute(select(audit))).mappings()
    assert (row["run"], row["who"], row["via"]) == (run["id"], "ada", "github")
    assert (told["run"], told["who"], told["via"], told["what"]) == (run["id"], "ada", "github", "ask")
    assert told["detail"] == {"delivery": "d-1", "proven": True}


async def test_one_that_was_started_before_the_service_died_is_not_started_again(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    await service.deliver(pushed(), delivery="d-1")
    async with prefect.client() as runs:
        # It died between asking for the run and writing that down.
        found = await runs.deployment("staging")
        assert found is not None
        await runs.create(found, {"ref": "main"}, key="github-d-1")
        await forwarding(service, runs).forward()
        for _ in range(100):
            await service.deliver(pushed(), delivery="d-1")
        await forwarding(service, runs).forward()
    assert list(prefect.runs) == ["github-d-1"]


async def test_nothing_is_lost_while_prefect_is_away(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    prefect.down = True
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        running = asyncio.create_task(forwarder.run())
        for number in range(5):
            answer = await service.deliver(pushed(f"hotfix/{number}"), delivery=f"d-{number}")
            assert answer.status_code == 202
            forwarder.wake()
        assert await until(lambda: prefect.asked)
        assert len(await service.kept()) == 5
        prefect.down = False
        assert await until(lambda: len(prefect.runs) == 5)
        running.cancel()
    assert list(prefect.runs) == [f"github-d-{number}" for number in range(5)]


async def test_a_queued_run_gives_way_to_a_newer_push_of_its_branch_alone(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        for number, branch in enumerate(("feature/a", "feature/b", "hotfix/c", "feature/a", "hotfix/c")):
            await service.deliver(pushed(branch, after=str(number)), delivery=str(number))
            await forwarder.forward()
    kinds = {key: prefect.state(key) for key in prefect.runs}
    assert kinds == {
        "github-0": "CANCELLED",
        "github-1": "SCHEDULED",
        "github-2": "SCHEDULED",
        "github-3": "SCHEDULED",
        "github-4": "SCHEDULED",
    }
    assert "superseded" in prefect.runs["github-0"]["state"]["message"]


@pytest.mark.parametrize("kind", ["PENDING", "RUNNING", "PAUSED", "COMPLETED", "CANCELLING"])
async def test_a_run_that_began_is_left_alone(service: Door, kind: str) -> None:
    prefect = FakePrefectApi(*FLOWS)
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        await service.deliver(pushed("feature/a", after="1"), delivery="1")
        await forwarder.forward()
        prefect.become("github-1", kind)
        await service.deliver(pushed("feature/a", after="2"), delivery="2")
        await forwarder.forward()
    assert prefect.state("github-1") == kind
    assert prefect.state("github-2") == "SCHEDULED"


@pytest.mark.parametrize(("kind", "name"), [("PAUSED", "AwaitingApproval"), ("SCHEDULED", "AwaitingTimer")])
async def test_a_run_that_waits_at_its_gates_gives_way_to_a_newer_push(service: Door, kind: str, name: str) -> None:
    """Nobody is to approve a commit that is no longer the newest."""
    prefect = FakePrefectApi(*FLOWS)
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        await service.deliver(pushed("main", after="1"), delivery="1")
        await forwarder.forward()
        prefect.runs["github-1"] |= {"run_count": 1, "state": {"type": kind, "name": name}}
        await service.deliver(pushed("main", after="2"), delivery="2")
        await forwarder.forward()
    assert prefect.state("github-1") == "CANCELLED"
    assert prefect.state("github-2") == "SCHEDULED"


async def test_a_run_that_goes_on_after_its_process_died_is_left_alone(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        await service.deliver(pushed("main", after="1"), delivery="1")
        await forwarder.forward()
        prefect.runs["github-1"] |= {"run_count": 1, "state": {"type": "SCHEDULED", "name": "GoesOn"}}
        await service.deliver(pushed("main", after="2"), delivery="2")
        await forwarder.forward()
    assert prefect.runs["github-1"]["state"]["name"] == "GoesOn"


async def test_a_run_whose_process_died_before_it_began_is_queued_again(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        for number, begun in enumerate((0, 1)):
            await service.deliver(pushed(f"hotfix/{number}"), delivery=str(number))
            await forwarder.forward()
            prefect.become(f"github-{number}", "CRASHED")
            prefect.runs[f"github-{number}"]["run_count"] = begun
        await forwarder.forward()
    assert prefect.state("github-0") == "SCHEDULED"
    assert prefect.state("github-1") == "CRASHED", "what had begun is started again by a person"


async def test_a_pipeline_that_is_not_registered_holds_up_no_other(service: Door) -> None:
    prefect = FakePrefectApi("hotfix")
    await service.deliver(pushed("main"), delivery="1")
    await service.deliver(pushed("hotfix/x"), delivery="2")
    async with prefect.client() as runs:
        assert await forwarding(service, runs).forward() is True
        assert list(prefect.runs) == ["github-2"]
        prefect.deployments["staging"] = "later"
        assert await forwarding(service, runs).forward() is False
    assert list(prefect.runs) == ["github-2", "github-1"]


async def test_what_prefect_does_not_accept_is_put_aside_and_told_once_a_batch(service: Door) -> None:
    prefect, told = FakePrefectApi(*FLOWS), list[str]()
    prefect.refuse = "Validation failed for field 'ref'."
    await service.deliver(pushed(), delivery="d-1")
    await service.deliver(pushed("hotfix/x"), delivery="d-2")
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs, told)
        assert await forwarder.forward() is False
        assert await forwarder.forward() is False
    assert await service.kept() == []
    (text,) = told
    assert "2 of GitHub's events started nothing" in text
    assert "staging, delivery d-1: " in text
    assert "Validation failed" in text
    assert "hotfix, delivery d-2: " in text
    ready = (await service.http.get("/readyz")).json()
    assert (ready["waiting"], ready["refused"]) == (0, 2)


async def test_what_prefect_did_not_accept_starts_when_it_is_delivered_again(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    prefect.refuse = "Validation failed for field 'ref'."
    await service.deliver(pushed(), delivery="d-1")
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        await forwarder.forward()
        prefect.refuse = ""
        assert (await service.deliver(pushed(), delivery="forged")).json()["status"] == "known"
        answers = await asyncio.gather(*(service.deliver(pushed(), delivery="d-1") for _ in range(5)))
        assert sorted(one.status_code for one in answers) == [200] * 4 + [202]
        await forwarder.forward()
    assert list(prefect.runs) == ["github-d-1"]
    assert (await service.http.get("/readyz")).json()["refused"] == 0
    assert (await service.deliver(pushed(), delivery="d-1")).json()["status"] == "known"


async def test_a_newer_push_takes_the_place_of_one_that_prefect_did_not_accept(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    prefect.refuse = "Validation failed for field 'ref'."
    await service.deliver(pushed("main", after="1"), delivery="1")
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        await forwarder.forward()
        prefect.refuse = ""
        await service.deliver(pushed("main", after="2"), delivery="2")
        assert (await service.deliver(pushed("main", after="1"), delivery="1")).json()["status"] == "known"
        await forwarder.forward()
    assert list(prefect.runs) == ["github-2"]
    assert (await service.http.get("/readyz")).json()["refused"] == 0


PROXYS = httpx.Response(200, html="<h1>Log in</h1>")


@pytest.mark.parametrize(
    "instead",
    [
        *(httpx.Response(code, json={"detail": "no"}) for code in (401, 403, 404)),
        httpx.Response(302, headers={"Location": "/login"}),
        PROXYS,
    ],
)
async def test_what_is_delivered_while_prefect_lets_nobody_in_starts_later(
    service: Door, instead: httpx.Response
) -> None:
    prefect = FakePrefectApi(*FLOWS)
    prefect.instead = instead
    await service.deliver(pushed(), delivery="1")
    async with prefect.client() as runs:
        forwarder = forwarding(service, runs)
        async with beside(lambda: None, forwarder.run()):
            assert await until(lambda: prefect.asked)
            await service.deliver(pushed("hotfix/x"), delivery="2")
            assert len(await service.kept()) == 2, "nothing is put aside"
            prefect.instead = None
            assert await until(lambda: len(prefect.runs) == 2)


async def test_one_that_is_not_let_in_between_two_questions_is_not_put_aside(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    await service.deliver(pushed(), delivery="1")

    def answer(request: httpx.Request) -> httpx.Response:
        found = {"id": "d", "name": "staging"}
        return httpx.Response(401) if request.method == "POST" else httpx.Response(200, json=found)

    async with PrefectApi("http://prefect/api", transport=httpx.MockTransport(answer)) as runs:
        with pytest.raises(Refused, match="401"):
            await forwarding(service, runs).forward()
    async with prefect.client() as runs:
        assert await forwarding(service, runs).forward() is False
    assert list(prefect.runs) == ["github-1"]


async def test_a_mistake_of_ours_ends_the_service(service: Door) -> None:
    prefect, stopped = FakePrefectApi(*FLOWS), asyncio.Event()
    prefect.instead = httpx.Response(200, json=["no", "deployment"])
    await service.deliver(pushed(), delivery="1")
    async with prefect.client() as runs:
        with pytest.raises(TypeError):
            async with beside(stopped.set, forwarding(service, runs).run()):
                await asyncio.wait_for(stopped.wait(), 5)


async def test_work_that_is_ended_with_the_service_is_no_mistake(service: Door) -> None:
    prefect = FakePrefectApi(*FLOWS)
    async with prefect.client() as runs, beside(lambda: None, forwarding(service, runs).run()):
        await asyncio.sleep(0)
