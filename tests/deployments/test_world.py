"""The board's parts that need no cluster: what waits at the gates, freezes, the past, and verdicts' pictures."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from board_world import BEFORE, NOW, seen

from clients.ballots import Asked, Ballots
from clients.releases import Releases
from clients.store import Store
from config import load
from deployments.service import charts, world, world_gates
from release.board import fold
from release.board_seen import Seen
from release.finished import Finished
from release.gates_votes import Bound, Vote
from release.verdict import record
from release.verdict.policy import Policy

BOUND = Bound("production shop", "sha256:new", "canary", ("us-east-1",), {"us-east-1": ("1.4.0", "sha256:old")})


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bob and eve may approve; production is frozen from tomorrow on."""
    config = tmp_path / "config"
    shutil.copytree(load.folder(), config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    settings = yaml.safe_load((config / "tidegate.yaml").read_text())
    settings["people"] = {name: {"roles": ["approve"]} for name in ("bob", "eve")}
    (config / "tidegate.yaml").write_text(yaml.safe_dump(settings))
    production = yaml.safe_load((config / "production.yaml").read_text())
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None, microsecond=0)
    production["gates"]["freezes"] = [{"name": "weekend", "start": tomorrow.isoformat(), "duration": "P2D"}]
    (config / "production.yaml").write_text(yaml.safe_dump(production))
    monkeypatch.setenv("TIDEGATE_CONFIG", str(config))
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "home"))
    return tmp_path


async def test_what_waits_says_whose_vote_counts_and_what_is_missing(configured: Path) -> None:
    async with Store(f"sqlite:///{configured / 'store.db'}") as store:
        ballots, now = Ballots(store), time.time()
        request = Asked("3f2a", "production v1.5.0", "production", "ada", 2, now - 60, BOUND, "approvals")
        await ballots.open(request, False, 0)
        for number, person in enumerate(("bob", "mallory")):
            await ballots.vote(request, Vote(person, "approve", "fine", "cli", now, BOUND), number)
        found = (await world_gates.approvals(store)(Seen(now)))(Seen(now)).approvals
        (one,) = found
        assert (one.needed, one.missing, one.proven, one.live) == (2, 1, False, ("us-east-1 v1.4.0",))
        assert [(vote.person, vote.counts) for vote in one.votes] == [
            ("bob", ""),
            ("mallory", "nobody of that name may approve it"),
        ]
        await ballots.leave("3f2a")
        assert (await world_gates.approvals(store)(Seen(now)))(Seen(now, approvals=found)).approvals == ()


async def test_the_past_is_measured_and_freezes_ahead_are_seen(configured: Path) -> None:
    environments = [load.environment(name) for name in load.ENVIRONMENTS]
    async with Store(f"sqlite:///{configured / 'store.db'}") as store:
        at = datetime.now(UTC) - timedelta(days=1)
        one = Finished("r1", 1, "production", "production", "canary", "released", at, at, "1.4.0", actor="ada")
        await Releases(store).add([one])
        parts = {part.name: part for part in world.parts(environments, store)}
        found = world.nothing_seen(environments)
        for name in ("the database of releases", "the freezes"):
            found = (await parts[name].look(found))(found)
    assert [(past.version, past.actor) for past in found.past] == [("1.4.0", "ada")]
    assert found.measured is not None and found.measured.now.deployments == 1 and len(found.measured.weeks) == 12
    assert [(freeze.environment, freeze.name) for freeze in found.freezes] == [("production", "weekend")]
    assert len(found.regions) == 5


async def test_a_halt_and_who_made_a_version_live_outlive_many_releases_elsewhere(configured: Path) -> None:
    environments = [load.environment(name) for name in load.ENVIRONMENTS]
    async with Store(f"sqlite:///{configured / 'store.db'}") as store:
        at = datetime.now(UTC) - timedelta(days=1)
        halted = Finished(BEFORE, 1, "production", "production", "canary", "halted", at, at, "1.4.0", actor="ada")
        others = [
            Finished(f"d{number}", 1, "development", "development", "rolling", "released", later, later, actor="bob")
            for number in range(250)
            for later in [at + timedelta(minutes=number + 1)]
        ]
        refused = replace(halted, run="x", outcome="refused", ended=at + timedelta(hours=5))
        await Releases(store).add([halted, *others, refused])
        part = {part.name: part for part in world.parts(environments, store)}["the database of releases"]
        unknown = replace(seen(), actors={})
        found = (await part.look(unknown))(unknown)
    assert {name: one.run for name, one in found.deployed.items()} == {"production": BEFORE, "development": "d249"}
    assert found.count == 252 and BEFORE not in {one.run for one in found.past}
    board = fold(found)
    assert board.environments[0].halted is not None and board.headline.tone == "bad"
    assert board.actors[BEFORE] == "ada"


def test_64_regions_are_looked_at_less_often(configured: Path) -> None:
    few = [load.environment("staging")]
    part = world.parts(few, Store(f"sqlite:///{configured / 'store.db'}"))[0]
    assert part.every(Seen(NOW)) == 3.0
    region = next(iter(few[0].regions.values()))
    assert world._region(few[0], region, 64).every(Seen(NOW)) > 5


async def test_a_verdict_is_drawn_from_what_its_run_wrote(configured: Path) -> None:
    folder = load.home() / "work" / "runs" / "run-1"
    folder.mkdir(parents=True)
    (folder / "verdict-us-east-1.jsonl").write_text(record.head(Policy(), "v1.5.0 in us-east-1"))
    drawn = await charts.Charts().draw("run-1", "us-east-1")
    assert drawn is not None and "v1.5.0 in us-east-1" in drawn and drawn.startswith("<svg")
    assert charts.stamp("run-1", "us-east-1")
    assert charts.stamp("run-1", "nowhere") == ""
    (load.home() / "verdict-x.jsonl").write_text(record.head(Policy(), "secret"))
    for run, region in (("..", "x"), ("../..", "x"), ("run-1", "../../x"), (".", "x")):
        assert await charts.Charts().draw(run, region) is None


async def test_a_course_is_judged_once_for_all_who_look_and_its_last_picture_has_a_stamp_of_its_own(
    configured: Path,
) -> None:
    path = load.home() / "work" / "runs" / "run-1" / "verdict-us-east-1.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(record.head(Policy(), "the first"))
    drawing = charts.Charts()
    assert "the first" in str(await drawing.draw("run-1", "us-east-1"))
    path.write_text(record.head(Policy(), "the second"))
    assert "the first" in str(await drawing.draw("run-1", "us-east-1", narrow=True)), "it was judged a moment ago"
    assert "the second" in str(await charts.Charts().draw("run-1", "us-east-1"))
    going_on = charts.stamp("run-1", "us-east-1")
    os.utime(path, (time.time() - 10, time.time() - 10))
    over = charts.stamp("run-1", "us-east-1")
    os.utime(path, (time.time() - 10.5, time.time() - 10.5))
    assert len({going_on, over, charts.stamp("run-1", "us-east-1")}) == 3
