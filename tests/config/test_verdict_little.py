"""The policy for applications with little traffic, as the documentation has it, at two requests a second."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml
from verdict_world import World

from config import load
from config.judging import Verdict
from release.verdict import Cause, Kind, Policy


def documented() -> Policy:
    """What the configuration's page tells people to write."""
    page = (load.CHECKOUT / "docs" / "configuration.md").read_text()
    found = re.search(r"#### Applications with little traffic.*?```yaml\n(.*?)```", page, re.DOTALL)
    assert found is not None
    keys = yaml.safe_load(found[1])
    return Verdict(**keys["verdict"]).build(tuple(keys["canary"]["weights"]), 1, 1.0).policy


def canary(bad: float, seed: int, policy: Policy) -> World:
    world = World(policy=policy, rps=2, bad=bad, seed=seed)
    world.run(600, poll=5)
    (world.weight,) = policy.weights
    world.run(7300, poll=5)
    return world


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("bad", "ends"), [(0.005, Kind.ADVANCE), (0.05, Kind.ROLLBACK), (0.2, Kind.ROLLBACK)])
def test_good_and_bad_versions_are_told_apart_within_the_deadline(bad: float, ends: Kind, seed: int) -> None:
    world = canary(bad, seed, documented())
    assert world.verdict.action is ends
    assert world.now < 600 + 3600


def test_the_shipped_numbers_would_not_tell_within_their_deadline() -> None:
    assert canary(0.005, 1, replace(Policy(latency=None), weights=(10,))).verdict.action is Kind.ROLLBACK


def test_at_the_deadline_it_holds_and_a_person_is_called() -> None:
    world = canary(0.005, 1, replace(documented(), step_deadline=60))
    found = world.verdict.finding
    assert (found.kind, found.action, found.weight) == (Kind.INCONCLUSIVE, Kind.HOLD, 50)
    assert (found.cause, found.page) == (Cause.TOO_LITTLE_DATA, True)
    assert Kind.ADVANCE not in world.kinds
