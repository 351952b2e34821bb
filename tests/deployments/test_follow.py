"""Following a run from the command line: its lines once each, its waiting, its end; a server that is away."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from rich.console import Console

from clients.prefect_runs import Runs
from deployments.cli.follow import Follower
from release.errors import Unavailable
from release.outcome import Outcome, RegionResult

RUN = "11111111-2222-3333-4444-555555555555"
CHILD = "99999999-2222-3333-4444-555555555555"
OUTCOME = Outcome(
    "production", "released", "1.4.0", regions=(RegionResult("us-east-1", "released", "1.4.0", ready=10),)
)


def line(second: int, text: str, level: int = 20) -> dict[str, Any]:
    return {"timestamp": f"2026-01-01T10:00:{second:02d}.000000+00:00", "level": level, "message": text}


class Server:
    """`steps` are (state type, state name, message, log lines so far), one for each look; the last one stays."""

    def __init__(self, *steps: tuple[str, str, str, list[dict[str, Any]]]) -> None:
        self.steps, self.looks = list(steps), 0
        self.outcome: dict[str, Any] | None = OUTCOME.as_dict()
        self.away: Callable[[int], bool] = lambda _: False

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/")
        body = json.loads(request.content) if request.content else {}
        if path == f"flow_runs/{RUN}":
            self.looks += 1
            if self.away(self.looks):
                return httpx.Response(503)
            kind, name, message, _ = self._step()
            state = {"type": kind, "name": name, "message": message}
            return httpx.Response(200, json={"id": RUN, "name": "calm-otter", "flow_id": "f", "state": state})
        if path == "flow_runs/filter":
            wanted = body["flow_runs"].get("parent_flow_run_id", {}).get("any_")
            child = {"id": CHILD, "name": "region", "flow_id": "f", "state": {"type": "RUNNING", "name": "Running"}}
            return httpx.Response(200, json=[child] if wanted == [RUN] else [])
        if path == "logs/filter":
            assert body["logs"]["flow_run_id"]["any_"] == [RUN, CHILD]
            after = body["logs"].get("timestamp", {}).get("after_", "")
            later = [one for one in self._step()[3] if one["timestamp"] > after]
            return httpx.Response(200, json=later[body.get("offset", 0) :][: body["limit"]])
        if path == "flows/filter":
            return httpx.Response(200, json=[{"id": "f", "name": "production"}])
        told = {"key": "outcome", "type": "json", "data": json.dumps(self.outcome)}
        return httpx.Response(200, json=[told] if self.outcome else [])

    def _step(self) -> tuple[str, str, str, list[dict[str, Any]]]:
        return self.steps[min(self.looks, len(self.steps)) - 1]


async def followed(server: Server) -> tuple[str, Outcome | None, list[str]]:
    console = Console(file=io.StringIO(), width=200)
    async with Runs("http://prefect/api", transport=httpx.MockTransport(server.answer)) as runs:
        run, outcome = await Follower(runs, console, again=0.1).to_the_end(RUN)
    assert isinstance(console.file, io.StringIO)
    return run.state, outcome, console.file.getvalue().splitlines()


async def test_its_lines_are_shown_once_and_its_outcome_is_what_it_told() -> None:
    first, late = line(1, "wave: us-east-1"), line(2, "us-east-1: v1.4.0 is live")
    own = line(2, "Finished in state Completed()")
    server = Server(
        ("SCHEDULED", "Scheduled", "", []),
        ("RUNNING", "Running", "", [first]),
        ("RUNNING", "Running", "", [first, late]),
        ("COMPLETED", "Released", "", [first, line(1, "from another process, late"), late, own]),
    )
    state, outcome, shown = await followed(server)
    assert (state, outcome) == ("Released", OUTCOME)
    assert shown[0] == "Scheduled"
    assert [text.partition("  ")[2] for text in shown[1:]] == [
        "wave: us-east-1",
        "us-east-1: v1.4.0 is live",
        "from another process, late",
    ]


async def test_many_lines_in_one_moment_are_all_shown() -> None:
    many = [line(1, f"line {number}") for number in range(450)]
    server = Server(("RUNNING", "Running", "", many), ("COMPLETED", "Released", "", [*many, line(2, "the end")]))
    _, _, shown = await followed(server)
    assert len(shown) == 451
    assert shown[-1].endswith("the end")


async def test_where_it_waits_is_told_once() -> None:
    waits = ("PAUSED", "AwaitingApproval", "2 more must approve", [])
    _, _, shown = await followed(Server(waits, waits, waits, ("COMPLETED", "Released", "", [])))
    assert shown == ["AwaitingApproval: 2 more must approve"]


async def test_one_that_told_nothing_ended_without_an_outcome() -> None:
    server = Server(("CRASHED", "Crashed", "its process is gone", []))
    server.outcome = None
    assert (await followed(server))[:2] == ("Crashed", None)


async def test_one_that_another_worker_goes_on_with_is_followed_to_its_end() -> None:
    gone, again = ("CRASHED", "Crashed", "", []), ("SCHEDULED", "GoesOn", "another worker goes on with it", [])
    state, outcome, shown = await followed(Server(gone, again, ("COMPLETED", "Released", "", [])))
    assert (state, outcome) == ("Released", OUTCOME)
    assert shown == [
        "its process is gone; waiting for a worker to go on with it",
        "GoesOn: another worker goes on with it",
    ]


async def test_a_server_that_is_away_for_a_while_is_borne() -> None:
    server = Server(("RUNNING", "Running", "", [line(1, "one")]), ("COMPLETED", "Released", "", [line(1, "one")]))
    server.away = lambda look: look in (2, 3)
    _, outcome, shown = await followed(server)
    assert outcome == OUTCOME
    assert sum("does not answer" in text for text in shown) == 1


async def test_a_server_that_stays_away_names_the_next_step() -> None:
    server = Server(("RUNNING", "Running", "", []))
    server.away = lambda look: look > 1
    console = Console(file=io.StringIO())
    async with Runs("http://prefect/api", transport=httpx.MockTransport(server.answer)) as runs:
        with pytest.raises(Unavailable) as caught:
            await Follower(runs, console, every=0.001, bears=0.01).to_the_end(RUN)
    assert "tidegate watch 11111111" in str(caught.value)


def test_an_outcome_comes_back_from_what_it_was_written_as() -> None:
    assert Outcome.from_dict(json.loads(json.dumps(OUTCOME.as_dict()))) == OUTCOME
    newer = {**OUTCOME.as_dict(), "unheard_of": 1, "regions": [{"region": "r", "outcome": "released", "more": 2}]}
    assert Outcome.from_dict(newer).regions == (RegionResult("r", "released"),)
