from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from clients.prefect_runs import Runs
from release.errors import Refused, Unavailable

FLOW = "11111111-1111-4111-8111-111111111111"
ID = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OTHER = "aaaabbbb-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def run(number: str = ID, **state: str) -> dict[str, Any]:
    return {
        "id": number,
        "name": "v1.4.0 by ada",
        "flow_id": FLOW,
        "state": {"name": "Recovered", "type": "FAILED", "message": "it was bad", **state},
        "start_time": "2026-11-23T08:00:00Z",
        "end_time": None,
        "total_run_time": 12.5,
        "parameters": {"tag": "v1.4.0"},
    }


async def test_only_a_suspended_run_is_woken() -> None:
    for details, woken in (({"pause_reschedule": True}, True), ({"pause_reschedule": False}, False), ({}, False)):
        state = {"name": "AwaitingApproval", "type": "PAUSED", "state_details": details}
        path = f"flow_runs/{ID}/set_state"
        server = Server(**{f"flow_runs/{ID}": {**run(), "state": state}, path: {"status": "ACCEPT"}})
        async with Runs("http://x/api", transport=httpx.MockTransport(server)) as runs:
            assert await runs.wake(ID) is woken
        assert (path in [asked for asked, _ in server.asked]) is woken


@pytest.mark.parametrize(
    ("name", "timer", "woken"),
    [("AwaitingTimer", True, True), ("AwaitingTimer", False, False), ("Scheduled", True, False)],
)
async def test_one_that_waits_for_its_timer_is_woken_only_where_that_is_asked_for(
    name: str, timer: bool, woken: bool
) -> None:
    path, state = f"flow_runs/{ID}/set_state", {"name": name, "type": "SCHEDULED"}
    server = Server(**{f"flow_runs/{ID}": {**run(), "state": state}, path: {"status": "ACCEPT"}})
    async with Runs("http://x/api", transport=httpx.MockTransport(server)) as runs:
        assert await runs.wake(ID, timer=timer) is woken
    assert (path in [asked for asked, _ in server.asked]) is woken


class Server:
    """Answers as Prefect's server does, and keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answers = {"flows/filter": [{"id": FLOW, "name": "production"}], **answers}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/")
        body = json.loads(request.content) if request.content else None
        self.asked.append((path, body))
        answer = self.answers.get(path)
        if isinstance(answer, httpx.Response):
            return answer
        if answer is None:
            return httpx.Response(404, json={"detail": "Not found"})
        if path in ("flow_runs/filter", "task_runs/filter"):
            answer = answer[body["offset"] : body["offset"] + body["limit"]]
        return httpx.Response(200, json=answer)


def runs(server: Server) -> Runs:
    return Runs("http://127.0.0.1:1/api", transport=httpx.MockTransport(server))


async def test_runs_are_plain_data_and_a_flow_is_named_once() -> None:
    server = Server(**{"flow_runs/filter": [run(str(number)) for number in range(450)]})
    async with runs(server) as client:
        found = await client.newest(("production",), 420, types=("FAILED",))
        await client.newest(("production",), 1)
    assert len({one.id for one in found}) == 420
    assert (found[0].flow, found[0].state, found[0].seconds, found[0].over) == ("production", "Recovered", 12.5, True)
    assert sum(path == "flows/filter" for path, _ in server.asked) == 1
    body = server.asked[0][1]
    assert body["flow_runs"] == {"parent_task_run_id": {"is_null_": True}, "state": {"type": {"any_": ["FAILED"]}}}


async def test_a_runs_steps_are_asked_for_by_name_page_by_page() -> None:
    every = [{"flow_run_id": ID, "name": f"us: weight of green {number}", "end_time": "t"} for number in range(450)]
    server = Server(**{"task_runs/filter": every})
    async with runs(server) as client:
        found = await client.steps([ID], ": weight of ")
        assert await client.steps([], ": weight of ") == ()
    assert [one.name for one in found] == [one["name"] for one in every]
    assert (found[0].run, found[0].ended) == (ID, "t")
    assert [body["offset"] for _, body in server.asked] == [0, 200, 400]
    assert server.asked[0][1]["flow_runs"] == {"id": {"any_": [ID]}}
    assert server.asked[0][1]["task_runs"]["name"] == {"like_": ": weight of "}


async def test_a_run_is_found_by_the_beginning_of_its_id() -> None:
    server = Server(**{"flow_runs/filter": [run(), run(OTHER)], f"flow_runs/{ID}": run()})
    async with runs(server) as client:
        found = await client.run("aaaaa")
        assert found is not None and found.id == ID
        assert await client.run("ffff") is None
        whole = await client.run(ID)
        assert whole is not None and whole.id == ID
        assert await client.run(OTHER) is None
        with pytest.raises(Refused, match=f"2 runs begin with aaaa: {ID} .*, {OTHER}"):
            await client.run("aaaa")
        with pytest.raises(Refused, match="at least the first 4"):
            await client.run("")


async def test_a_run_of_long_ago_is_found_and_only_one_that_was_started_as_such() -> None:
    many = [run(f"{number:08d}-aaaa-4aaa-8aaa-aaaaaaaaaaaa") for number in range(900)]
    server = Server(**{"flow_runs/filter": [*many, run()]})
    async with runs(server) as client:
        found = await client.run("aaaa")
    assert found is not None and found.id == ID
    assert all(body["flow_runs"] == {"parent_task_run_id": {"is_null_": True}} for path, body in server.asked[:5])


async def test_what_a_schedule_made_ahead_is_left_out_until_it_is_due() -> None:
    ahead = run(OTHER, name="Scheduled", type="SCHEDULED") | {"auto_scheduled": True, "run_count": 0}
    later, past = "2999-01-01T00:00:00Z", "2026-11-23T08:00:00Z"
    shown = {
        OTHER: ahead | {"expected_start_time": past},
        "by hand": ahead | {"id": "by hand", "auto_scheduled": False, "expected_start_time": later},
        "waits for its timer": ahead | {"id": "waits for its timer", "run_count": 1, "expected_start_time": later},
    }
    left_out = [ahead | {"id": f"aaaa{number}", "expected_start_time": later} for number in range(25)]
    server = Server(**{"flow_runs/filter": [*left_out, *shown.values()]})
    async with runs(server) as client:
        assert [one.id for one in await client.newest(("production",), 20)] == list(shown)
        found = await client.run("aaaa")
        assert found is not None and found.id == OTHER


async def test_the_newest_artifact_of_a_key_counts() -> None:
    table = {"key": "regions", "type": "table", "data": json.dumps([{"region": "a"}])}
    old = {"key": "regions", "type": "table", "data": "[]"}
    report, outcome = (
        {"key": "report", "type": "markdown", "data": "# x"},
        {"type": "json", "data": '{"word": "built"}'},
    )
    server = Server(**{"artifacts/filter": [table, old, report, outcome | {"key": "outcome"}]})
    async with runs(server) as client:
        found = await client.artifacts([ID])
    assert found == {"regions": [{"region": "a"}], "report": "# x", "outcome": {"word": "built"}}


@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.Response(200, text="<html>")])
async def test_what_does_not_answer_as_prefect_does_is_unavailable(answer: httpx.Response) -> None:
    async with runs(Server(**{"admin/version": answer})) as client:
        with pytest.raises(Unavailable, match=r"prefect\.api"):
            await client.version()


async def test_credentials_that_are_not_accepted_are_named() -> None:
    async with runs(Server(**{"admin/version": httpx.Response(401)})) as client:
        with pytest.raises(Refused, match="PREFECT_API_KEY"):
            await client.version()
    async with Runs("http://127.0.0.1:9/api") as client:
        with pytest.raises(Unavailable, match="does not answer"):
            await client.version()
