"""One sandbox for all tests of this room, started and ended by the command line as people do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import PODS, Desk, only, release
from look import Look, Regions

SPEED = "20"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """What a person can do. All tests run on this sandbox: each must leave one good version live everywhere.

    TIDEGATE_TESTS_HOME names a folder whose sandbox is used, and left up, while one works on a test.
    """
    kept = os.environ.get("TIDEGATE_TESTS_HOME")
    found = Desk(Path(kept) if kept else tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("scratch"))
    try:
        up = found.up(SPEED)
        assert up.code == 0, up.text
        yield found
    finally:
        found.down(purge=not kept)


@pytest.fixture
def look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Look:
    """What a person can look at."""
    monkeypatch.setenv("TIDEGATE_HOME", str(desk.home))
    return Look(desk.home)


@pytest.fixture
def served(desk: Desk, look: Look) -> Regions:
    """A good version is live in each region of production, not everywhere the same: region -> (digest, ready pods)."""
    desk.settle()
    live = look.digests()
    if any(ready != PODS or not digest.startswith("sha256:") or "," in digest for digest, ready in live.values()):
        desk.released("v1.4.0")
    return look.digests()


@pytest.fixture
def good(desk: Desk, look: Look, served: Regions) -> Regions:
    """A good version is live in all regions of production, in the slot blue: region -> (digest, ready pods)."""
    green = tuple(region for region in served if look.weights(region) != (100, 0))
    if not green and len(set(served.values())) == 1:
        return served
    tag = "v1.6.0" if "1.4.0" in {look.live()[region]["version"] for region in green} else "v1.4.0"
    if green:
        desk.stage(tag)
        moved = desk.tidegate(*release(tag, "--strategy", "blue-green", *only(*green)))
        assert moved.word == "released", moved.text
    desk.released(tag)
    return look.digests()


@pytest.fixture
def another(desk: Desk, look: Look, good: Regions) -> str:
    """A good version that staging verified and that is not live: a tag."""
    live = {one["version"] for one in look.live().values()}
    tag = "v1.6.0" if live == {"1.4.0"} else "v1.4.0"
    desk.stage(tag)
    return tag


@pytest.fixture
def slowly(desk: Desk, another: str) -> Path:
    """A home for a release of the other version whose pods do not get ready until `desk.calm()`."""
    desk.behave(another.removeprefix("v"), "us-east-1", ready_after=3600.0)
    patient = {"probes": {"startup": {"path": "/health", "failureThreshold": 9999}}}
    return desk.variant(production={"rolling": {"ready_within_s": 9999}, "values": patient})


@pytest.fixture(autouse=True)
def calm(desk: Desk, look: Look) -> Iterator[None]:
    """No fault and no quarantine outlives its test."""
    yield
    desk.calm()
    desk.lift_quarantines()
