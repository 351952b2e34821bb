"""What the board sees of runs under way, from a Prefect server's answers over HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from board_world import course
from fake_prefect import FakePrefect
from overhttp import served

from config import load
from deployments.service import charts
from deployments.service.world_runs import Runs
from release.board_seen import Seen, SeenLock
from release.locking import Held, Holder
from release.verdict import sketch
from release.verdict.series import points

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
PRODUCTION, STAGING = str(uuid.uuid4()), str(uuid.uuid4())


@pytest.fixture
async def prefect(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakePrefect]:
    fake = FakePrefect()
    async with served(fake.transport) as address:
        monkeypatch.setenv("TIDEGATE__PREFECT__API", f"{address}/api")
        yield fake


def locked(*pairs: tuple[str, str]) -> Seen:
    """Environments whose lock a run holds."""
    locks = [
        SeenLock(place, Held(Holder(run, "ada", f"{place} v2"), AT.timestamp(), AT.timestamp(), 60.0))
        for place, run in pairs
    ]
    return Seen(AT.timestamp(), locks=tuple(locks))


def releases(prefect: FakePrefect) -> None:
    """A canary of production with a region under way, and a release to staging."""
    called = {"tag": "v2", "strategy": "canary", "actor": "ada"}
    prefect.begun(PRODUCTION, "production", AT - timedelta(seconds=60), parameters=called)
    prefect.begun("r1", "region", AT, PRODUCTION, parameters={"region": "us-east-1", "strategy": "canary"})
    prefect.begun("b1", "recover", AT + timedelta(seconds=90), PRODUCTION)
    prefect.begun(STAGING, "staging", AT - timedelta(seconds=30))
    for second, text in ((1, "us-east-1: weight 10: judged"), (2, "us-east-1: weight 25: judged"), (3, "other")):
        stamp = (AT + timedelta(seconds=second)).isoformat()
        prefect.lines.append({"flow_run_id": "r1", "timestamp": stamp, "level": 20, "message": text})
    evidence = {
        "run": PRODUCTION,
        "environment": "production",
        "region": "us-east-1",
        "weight": 25,
        "sentence": "looks",
    }
    evidence |= {"against": 0.4, "needed": 4.6, "favour": 1.2, "wanted": 3.0}
    told = {"key": "live-production-us-east-1", "flow_run_id": PRODUCTION, "data": json.dumps(evidence)}
    prefect.artifacts.append(told)


def past(prefect: FakePrefect, pipeline: str, strategy: str, seconds: float, *, word: str = "released") -> None:
    """A release that ended: a minute before the lock, 20 s of preparation, so long in its region."""
    place = "us-east-1" if pipeline == "production" else pipeline
    locked = 20 + seconds + 5
    told = {"pipeline": pipeline, "word": word, "strategy": strategy, "locked": locked, "recovery": 7.0}
    told["regions"] = [{"region": place, "seconds": seconds}]
    run, won = str(uuid.uuid4()), AT - timedelta(hours=1)
    end, began = won + timedelta(seconds=locked), won - timedelta(seconds=60)
    state = "COMPLETED" if word == "released" else "FAILED"
    prefect.ended(run, end, told, start_time=began.isoformat(), state_type=state)
    child = {"end_time": end.isoformat(), "state_type": state}
    prefect.begun(f"child-{run}", "region", won + timedelta(seconds=20), run, parameters={"region": place}, **child)


async def test_runs_are_seen_with_their_regions_their_page_and_their_verdict(prefect: FakePrefect) -> None:
    releases(prefect)
    runs = Runs([load.environment(name) for name in load.ENVIRONMENTS])
    seen = locked(("production", PRODUCTION), ("staging", STAGING))
    found = (await runs.look(seen))(seen)
    one = found.runs[PRODUCTION]
    assert (one.pipeline, one.strategy, one.began) == ("production", "canary", AT.timestamp() - 60)
    assert one.url.endswith(f"/runs/flow-run/{PRODUCTION}") and "/api" not in one.url
    assert [(part.region, part.stage, part.line) for part in one.parts] == [
        ("us-east-1", "running", "weight 25: judged"),
        ("", "running", ""),
    ]
    assert found.runs[STAGING].strategy == "rolling"
    assert [(course.region, course.weight, course.needed) for course in found.courses] == [("us-east-1", 25, 4.6)]
    nothing = locked()
    assert (await runs.look(nothing))(found).runs == {}
    assert prefect.asked[-1] == "ready"


async def test_a_canarys_weights_are_seen_with_their_times_where_it_goes_on(prefect: FakePrefect) -> None:
    releases(prefect)
    whose = {"region": "eu-west-1", "strategy": "canary"}
    prefect.begun("r2", "region", AT, PRODUCTION, parameters=whose, state_type="COMPLETED")
    for run, name, second in (
        ("r1", "us-east-1: weight of green 25", 40),
        ("r1", "us-east-1: weight of green 10", 5),
        ("r1", "us-east-1: chart test", 4),
        ("r2", "eu-west-1: weight of green 10", 6),
        ("b1", "us-east-1: weight of green 0", 91),
    ):
        prefect.step(run, name, AT + timedelta(seconds=second))
    prefect.step("r1", "us-east-1: weight of green 50", AT + timedelta(seconds=50), state="FAILED")
    seen = locked(("production", PRODUCTION), ("staging", STAGING))
    found = (await Runs([load.environment(name) for name in load.ENVIRONMENTS]).look(seen))(seen).runs
    environment = load.environment("production")
    assert found[PRODUCTION].weights == (*environment.progressive.weights, 100)
    assert found[PRODUCTION].least == environment.judged.policy.min_step > 0
    first, second, back = found[PRODUCTION].parts
    assert {(one.weight, one.at - AT.timestamp()) for one in first.shifts} == {(10, 5.0), (25, 40.0)}
    assert (second.shifts, back.shifts) == ((), ())
    assert found[STAGING].weights == ()
    assert prefect.asked.count("task_runs/filter") == 1, "only a canary has weights"


async def test_how_long_a_canary_was_at_each_weight_is_known_from_those_that_ended_well(prefect: FakePrefect) -> None:
    releases(prefect)
    for seconds in (200.0, 230.0, 260.0):
        past(prefect, "production", "canary", seconds)
        child, ended = prefect.runs[-1]["id"], datetime.fromisoformat(prefect.runs[-1]["end_time"])
        for weight, left in ((10, seconds), (25, 150.0), (50, 90.0), (100, 8.0)):
            prefect.step(child, f"us-east-1: weight of green {weight}", ended - timedelta(seconds=left))
    past(prefect, "production", "canary", 10.0, word="recovered")
    prefect.step(prefect.runs[-1]["id"], "us-east-1: weight of green 10", AT)
    seen = locked(("production", PRODUCTION))
    found = (await Runs([load.environment("production")]).look(seen))(seen)
    wanted = {10: 80.0, 25: 60.0, 50: 82.0, 100: 8.0}
    assert found.paces[PRODUCTION].weights == {("us-east-1", weight): each for weight, each in wanted.items()}


async def test_each_pipeline_is_expected_to_take_what_its_own_took(prefect: FakePrefect) -> None:
    releases(prefect)
    past(prefect, "production", "canary", 200.0)
    past(prefect, "production", "rolling", 90.0)
    past(prefect, "production", "canary", 10.0, word="recovered")
    past(prefect, "staging", "rolling", 30.0)
    runs = Runs([load.environment(name) for name in load.ENVIRONMENTS])
    seen = locked(("production", PRODUCTION), ("staging", STAGING))
    found = (await runs.look(seen))(seen)
    production, staging = found.paces[PRODUCTION], found.paces[STAGING]
    assert (production.regions, production.around, production.back) == ({"us-east-1": 200.0}, 25.0, 7.0)
    assert (production.before, production.prepared) == (60.0, 20.0)
    assert (staging.regions, staging.before, staging.back) == ({"staging": 30.0}, 60.0, 0.0)


async def test_the_past_is_asked_once_for_each_of_two_releases_side_by_side(prefect: FakePrefect) -> None:
    releases(prefect)
    past(prefect, "production", "canary", 200.0)
    runs = Runs([load.environment(name) for name in load.ENVIRONMENTS])
    seen = locked(("production", PRODUCTION), ("staging", STAGING))
    await runs.look(seen)
    prefect.asked.clear()
    found = (await runs.look(seen))(seen)
    assert "artifacts/filter" not in prefect.asked
    assert found.paces[PRODUCTION].regions == {"us-east-1": 200.0}


async def test_a_verdict_of_a_run_on_another_machine_is_drawn_from_what_it_told(prefect: FakePrefect) -> None:
    releases(prefect)
    drawing = charts.Charts()
    assert await drawing.draw(PRODUCTION, "us-east-1") is None
    facts = json.loads(prefect.artifacts[-1]["data"]) | {"kind": "CONTINUE", "at": "2026-11-23T08:15:09Z"}
    more = {"title": "v2 beside v1", "points": sketch.sketch(points(*course(69)))}
    prefect.artifacts[-1]["data"] = json.dumps(facts | more)
    seen = locked(("production", PRODUCTION))
    found = (await Runs([load.environment("production")]).look(seen))(seen)
    assert found.courses[0].chart == "2026-11-23T08:15:09Z"
    drawn = str(await drawing.draw(PRODUCTION, "us-east-1"))
    assert drawn.startswith("<svg") and "v2 beside v1" in drawn
    asked = len(prefect.asked)
    assert "v2 beside v1" in str(await drawing.draw(PRODUCTION, "us-east-1", narrow=True))
    assert len(prefect.asked) == asked, "it was asked for once"
    assert await drawing.draw(PRODUCTION, "eu-west-1") is None
