from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from simulated import Simulated, artifact, roll, want

from release import recovery, strategy
from release.health import ready_digests
from release.model import Pod, Workload

STEPS = st.integers(min_value=0, max_value=12)


def released(minor: int, **facts: frozenset[int]) -> Simulated:
    region = Simulated(**facts)
    assert roll(region, want(minor)) == "done"
    return region


def digests(region: Simulated) -> frozenset[str]:
    return ready_digests(region.state.blue.pods)


def test_a_first_release_sends_users_only_to_pods_that_are_ready() -> None:
    region, seen = Simulated(), []
    for _ in range(20):
        step = strategy.rolling(region.state, want(4), verified=any(isinstance(s, strategy.Verify) for s in seen))
        seen.append(step)
        if isinstance(step, strategy.Done):
            break
        region.act(step, want(4))
    names = [type(step).__name__ for step in seen]
    assert names == ["Upgrade", "Await", "Route", "Verify", "Remember", "Done"]


def test_a_second_release_of_the_same_version_has_nothing_to_do() -> None:
    region = released(4)
    assert strategy.settled(region.state, want(4))
    assert not strategy.settled(region.state, want(4, config="c1"))


def test_a_pod_changed_behind_the_release_is_put_right() -> None:
    region = released(4)
    other = artifact(9).digest
    region.state = replace(
        region.state, blue=replace(region.state.blue, workload=Workload(other, 2, updated=2, ready=2))
    )
    assert isinstance(strategy.rolling(region.state, want(4), verified=False), strategy.Upgrade)


def test_an_old_pod_that_still_serves_is_waited_for() -> None:
    region = released(4)
    old = Pod("old", artifact(3).digest, ready=True, running=True)
    region.state = replace(region.state, blue=replace(region.state.blue, pods=(*region.state.blue.pods, old)))
    assert isinstance(strategy.rolling(region.state, want(4), verified=False), strategy.Await)


@given(kills=st.lists(STEPS, max_size=6), pending=st.booleans())
def test_a_release_killed_anywhere_goes_on_to_its_end(kills: list[int], pending: bool) -> None:
    region = released(3)
    for steps in kills:
        roll(region, want(4), stop_after=steps)
        if pending and region.state.blue.release is not None:
            region.upgrade(want(4), "pending-upgrade")
    assert roll(region, want(4)) == "done"
    assert digests(region) == {artifact(4).digest}
    assert region.state.route is not None and region.state.route.previous is not None
    assert region.state.route.previous.artifact == artifact(3)


@given(kills=st.lists(STEPS, max_size=4), back_kills=st.lists(STEPS, max_size=4), crashes=st.booleans())
def test_a_bad_release_ends_on_the_last_good_version(kills: list[int], back_kills: list[int], crashes: bool) -> None:
    bad = frozenset({5})
    region = released(4, bad=bad if crashes else frozenset(), unverifiable=frozenset() if crashes else bad)
    for steps in kills:
        roll(region, want(5), stop_after=steps)
    assert roll(region, want(5)) == "condemned"
    for steps in [*back_kills, 1000]:
        ways = recovery.ways([region.state], want(5))
        if not ways:
            break
        assert isinstance(ways[0], recovery.Back)
        assert ways[0].to.artifact == artifact(4)
        roll(region, want(4), stop_after=steps)
    assert digests(region) == {artifact(4).digest}
    assert recovery.ways([region.state], want(5)) == ()


@given(good=st.integers(min_value=0, max_value=3))
def test_every_region_that_changed_goes_back_in_reverse_order(good: int) -> None:
    regions = [Simulated(name) for name in ("a", "b", "c", "d")]
    for region in regions:
        roll(region, want(4))
    for region in regions[:good]:
        assert roll(region, want(5)) == "done"
    ways = recovery.ways([region.state for region in regions], want(5))
    assert [way.region for way in ways] == [region.name for region in reversed(regions[:good])]
    for way in ways:
        roll(next(region for region in regions if region.name == way.region), want(4))
    assert {digest for region in regions for digest in digests(region)} == {artifact(4).digest}


def test_a_change_of_values_alone_goes_back_too() -> None:
    region = released(4)
    assert roll(region, want(4, config="c1")) == "done"
    (way,) = recovery.ways([region.state], want(4, config="c1"))
    assert isinstance(way, recovery.Back)
    assert (way.to.artifact, way.to.config) == (artifact(4), "c0")


def test_a_first_release_that_fails_has_no_way_back_and_may_be_removed() -> None:
    region = Simulated(bad=frozenset({4}))
    assert roll(region, want(4)) == "condemned"
    assert recovery.ways([region.state], want(4)) == (recovery.Stuck("r1", "blue", removable=True),)


def test_an_unrecorded_version_that_still_serves_is_never_removed() -> None:
    region = released(3, bad=frozenset({4}))
    region.state = replace(region.state, route=None)
    assert roll(region, want(4)) == "condemned"
    assert recovery.ways([region.state], want(4)) == (recovery.Stuck("r1", "blue", removable=False),)


def test_a_pending_operation_is_cleared_by_the_newest_revision_that_was_deployed() -> None:
    assert strategy.unblock_revision([(1, "superseded"), (2, "deployed"), (3, "pending-upgrade")]) == 2
    assert strategy.unblock_revision([(1, "pending-install")]) is None
