"""Canaries judged through a real Prometheus server; when it is gone, or tells what was, it decides nothing."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import ask
import httpx
import pytest
from desk import Desk, Running, release
from look import Look

from release.verdict import Gap, record
from sandbox import state

pytestmark = pytest.mark.slow
REGION = "us-east-1"
OUTAGE_S = 12.0


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A sandbox of its own, with a Prometheus, on which v1.4.0 is live."""
    found = Desk(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("scratch"))
    options = ("--prometheus", "--speed", "20", "--users", "5", "--regions", "1")
    try:
        up = found.tidegate("sandbox", "up", *options, timeout=1200)
        assert up.code == 0, up.text
        assert "prometheus" in up.text
        found.released("v1.4.0")
        yield found
    finally:
        found.tidegate("sandbox", "down", "--purge")


@pytest.fixture
def good(desk: Desk, look: Look) -> str:
    """A good version that is not live."""
    tag = "v1.6.0" if look.live()[REGION]["version"] == "1.4.0" else "v1.4.0"
    desk.stage(tag)
    return tag


def canary(tag: str) -> tuple[str, ...]:
    return release(tag, "--strategy", "canary")


def weights(look: Look) -> dict[str, int]:
    (region,) = [one for one in look.picture()["regions"] if one["name"] == REGION]
    return dict(region["route"]["weights"])


def share(look: Look) -> int:
    """The percent of users that the canary has."""
    return min(weights(look).values())


def test_a_good_one_is_promoted_and_its_course_is_kept(desk: Desk, look: Look, good: str, tmp_path: Path) -> None:
    result = desk.tidegate(*canary(good))
    assert (result.code, result.word) == (0, "released"), result.text
    assert look.live()[REGION]["version"] == good.removeprefix("v")
    kept = ask.artifacts(look.subflows(result.outcome["run"])[REGION]["id"])
    assert "![chart](data:image/svg+xml;base64," in kept[f"verdict-{REGION}"]
    file = tmp_path / "counts"
    file.write_text(kept[f"counts-{REGION}"])
    again = desk.tidegate("verdict", str(file))
    assert again.code == 0, again.text
    assert "The same verdict as was given." in again.text
    stored = record.load(file.read_text())
    assert {entry.weight for entry in stored.entries} >= {10, 25, 50}
    assert max(entry.block.seconds for entry in stored.entries) > 0
    # What the stable version was like before, as far as it was live, was asked for and not waited for.
    before = list(itertools.takewhile(lambda entry: entry.block.gap is not Gap.FIRST, stored.entries))
    assert sum(entry.block.seconds for entry in before) > 15
    assert sum(entry.block.stable.requests for entry in before) > 100
    (shown,) = look.picture()["verdicts"]
    assert (shown["run"], shown["ended"], shown["sentence"]) == (result.outcome["run"], True, stored.given)
    drawn = httpx.get(f"{control(desk)}/api/verdicts/{REGION}.svg", timeout=10, trust_env=False)
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert good in drawn.text


def test_a_bad_one_goes_back(desk: Desk, look: Look) -> None:
    before = look.digests()
    desk.stage("v1.7.0")
    result = desk.tidegate(*canary("v1.7.0"))
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert re.search(r"ROLLBACK after \d+ s: canary [\d.]+% errors \(\d+/\d+\)", result.reason), result.reason
    look.back_on(before)


def test_without_it_a_good_one_waits(desk: Desk, look: Look, good: str) -> None:
    with desk.start(*canary(good)) as running:
        running.until(lambda: share(look) == 10)
        desk.fault("prometheus", "refused", seconds=OUTAGE_S)
        stays(look, running)
        result = running.end()
    assert (result.code, result.word) == (0, "released"), result.text
    assert "metrics do not answer (provider down)" in result.text
    assert "metrics do not answer" in look.slack("incidents")[-1], "a person is told"


def test_while_it_tells_what_was_a_bad_one_is_not_promoted(desk: Desk, look: Look, good: str) -> None:
    before = look.digests()
    with desk.start(*canary(good)) as running:
        running.until(lambda: share(look) == 10)
        desk.fault("monitoring", "lying", seconds=OUTAGE_S + 5)
        desk.behave(good.removeprefix("v"), error_rate=0.5)
        stays(look, running)
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    look.back_on(before)


def stays(look: Look, running: Running) -> None:
    """The canary keeps its share, or less, as long as nobody can say how it is."""
    ends = time.monotonic() + OUTAGE_S - 1
    while time.monotonic() < ends:
        assert 0 < share(look) <= 10, running.text
        time.sleep(0.2)


def control(desk: Desk) -> str:
    found = state.read(desk.home)
    assert found is not None
    return found.control
