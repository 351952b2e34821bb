"""Going back on a person's word: from what, to what, and whether that may be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated import BLUE_GREEN, CANARY, Simulated, artifact, go_back, roll, want

from release import recovery, rollback
from release.appfile import AppFile, Migration
from release.errors import Halted, Refused
from release.model import RegionState
from release.rollback import Move
from release.versions import Version


def region(*minors: int, name: str = "r1", weights: tuple[int, ...] = ()) -> Simulated:
    made = Simulated(name)
    for minor in minors:
        assert roll(made, want(minor, weights=weights)) == "done"
    return made


def left(state: RegionState) -> str | None:
    found = rollback.leaving(state)
    return None if found is None else found.artifact.version


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_a_blank_reason_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        rollback.reason(text)


def test_a_reason_is_kept_without_its_margins() -> None:
    assert rollback.reason(" checkout fails ") == "checkout fails"


@pytest.mark.parametrize("weights", [(), BLUE_GREEN, CANARY])
def test_what_is_live_is_taken_back_to_what_was_before(weights: tuple[int, ...]) -> None:
    state = region(4, 5, weights=weights).state
    bad = rollback.bad([state])
    assert bad.artifact == artifact(5)
    assert rollback.moves([state], want(5)) == (Move("r1", artifact(5), artifact(4)),)


@pytest.mark.parametrize("weights", [(), BLUE_GREEN, CANARY])
def test_a_version_that_a_dead_release_left_half_way_is_taken_back_first(weights: tuple[int, ...]) -> None:
    """After every step of a release that dies there, the rollback leaves the version that was live before it."""
    new = want(5, weights=weights)
    for steps in range(1, 40):
        here = region(4)
        if roll(here, new, stop_after=steps) == "done":
            break
        reached = left(here.state)
        assert reached in ("1.4.0", "1.5.0")
        if reached == "1.5.0":
            assert rollback.moves([here.state], new) == (Move("r1", artifact(5), artifact(4)),)
            assert go_back(here, new) == "done"
            assert {pod.digest for pod in here.state.slot(here.state.live_slot).pods} == {artifact(4).digest}
    assert steps > 3


def test_users_on_a_dead_canary_are_seen() -> None:
    for steps in range(1, 40):
        here = region(4)
        roll(here, want(5, weights=CANARY), stop_after=steps)
        assert here.state.route is not None
        if 0 < here.state.route.weight("green") < 100:
            assert left(here.state) == "1.5.0"
            return
    pytest.fail("the canary never had users")


def test_regions_on_different_versions_need_a_word() -> None:
    with pytest.raises(Refused, match="r1 v1.5.0, r2 v1.4.0") as raised:
        rollback.bad([region(4, 5).state, region(4, name="r2").state])
    assert "--region" in str(raised.value.next_step)
    assert "--to" in str(raised.value.next_step)


def test_a_release_that_died_between_regions_is_one_version() -> None:
    half = region(4, name="r2")
    roll(half, want(5), stop_after=2)
    states = [region(4, 5).state, half.state, region(4, name="r3").state]
    assert rollback.bad(states).artifact == artifact(5)
    assert [move.region for move in rollback.moves(states, want(5))] == ["r1", "r2"]


def test_nothing_live_is_refused() -> None:
    with pytest.raises(Refused, match="nothing is live"):
        rollback.bad([Simulated().state])


def test_no_recorded_version_before_it_is_refused_and_asks_for_one() -> None:
    with pytest.raises(Refused, match="no earlier version than v1.4.0") as raised:
        rollback.moves([region(4).state], want(4))
    assert "--to" in str(raised.value.next_step)


def test_after_going_back_there_is_nothing_to_go_back_to_again() -> None:
    here = region(4, 5)
    assert go_back(here, want(5)) == "done"
    with pytest.raises(Refused, match="no earlier version"):
        rollback.moves([here.state], want(4))


@pytest.mark.parametrize("weights", [(), BLUE_GREEN, CANARY])
def test_a_rollback_that_died_is_done_only_when_nothing_is_left_of_what_it_took_back(weights: tuple[int, ...]) -> None:
    before, bad = region(4, 5, weights=weights), want(5, weights=weights)
    route = before.state.route
    assert route is not None and route.live is not None
    before.state = replace(before.state, route=replace(route, live=replace(route.live, run="the release")))
    for killed_after in range(40):
        here = Simulated()
        here.state = before.state
        ended = go_back(here, bad, stop_after=killed_after) == "done"
        assert rollback.done_by([here.state], "run") == (not recovery.changed(here.state, bad))
        if ended:
            return
    raise AssertionError("it never ends")


def test_a_later_version_is_no_way_back() -> None:
    with pytest.raises(Refused, match="tidegate release v1.5.0"):
        rollback.moves_to([region(4).state], artifact(5))
    assert rollback.moves_to([region(4, 6).state], artifact(5)) == (Move("r1", artifact(6), artifact(5)),)


def app(hard: bool) -> AppFile:
    return AppFile({}, migrations=(Migration("split-orders", Version(1, 5, 0), hard),))


def test_it_freezes_before_an_irreversible_migration() -> None:
    moves = (Move("r1", artifact(5), artifact(4)), Move("r2", artifact(5), artifact(4)))
    with pytest.raises(Halted, match="split-orders") as raised:
        rollback.require_possible(moves, {artifact(5).commit: app(True)})
    assert raised.value.region == "r1, r2"
    assert "Decide" in str(raised.value.next_step)
    rollback.require_possible(moves, {artifact(5).commit: app(False)})


GOOD = {"org.opencontainers.image.version": "1.4.0", "org.opencontainers.image.revision": "4" * 40}


def test_a_tag_of_the_registry_is_believed_with_its_labels_and_its_record() -> None:
    digest, version = artifact(4).digest, Version(1, 4, 0)
    assert rollback.artifact(version, digest, GOOD, None) == artifact(4)
    assert rollback.artifact(version, digest, GOOD, {"digest": digest, "version": "1.4.0"}) == artifact(4)


@pytest.mark.parametrize(
    ("digest", "labels", "record"),
    [
        (None, {}, None),
        (artifact(4).digest, {}, None),
        (artifact(4).digest, {**GOOD, "org.opencontainers.image.version": "1.3.0"}, None),
        (artifact(4).digest, GOOD, {"digest": artifact(3).digest, "version": "1.4.0"}),
    ],
)
def test_a_tag_that_is_missing_or_moved_is_refused(
    digest: str | None, labels: dict[str, str], record: dict[str, str] | None
) -> None:
    with pytest.raises(Refused) as raised:
        rollback.artifact(Version(1, 4, 0), digest, labels, record)
    assert raised.value.field == "to"


def test_what_a_region_recorded_is_known_without_a_registry() -> None:
    states = [region(4, 5).state]
    assert rollback.recorded(states, Version(1, 4, 0)) == artifact(4)
    assert rollback.recorded(states, Version(1, 3, 0)) is None


def test_going_forward_to_what_was_live_before_keeps_the_way_back() -> None:
    here = region(4, 5, 4)
    assert rollback.moves([here.state], want(4)) == (Move("r1", artifact(4), artifact(5)),)
