from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import BLUE_GREEN, CANARY, Simulated, artifact, go_back, roll, want

from release import live, migrations, recovery, steps, strategy
from release.appfile import AppFile
from release.health import ready_digests
from release.model import Pod, Workload
from release.strategy import Seen

KILLS = st.lists(st.integers(min_value=0, max_value=25), max_size=5)
STRATEGIES = st.sampled_from([(), BLUE_GREEN, CANARY])
FAULTS = st.sampled_from(["bad", "erring", "unverifiable"])


def released(minor: int, weights: tuple[int, ...] = (), **facts: frozenset[int]) -> Simulated:
    region = Simulated(**facts)
    assert roll(region, want(minor, weights=weights)) == "done"
    return region


def worn(region: Simulated) -> None:
    """Every pod of the region was restarted three times, weeks ago; all are Ready as before."""
    for slot in (region.state.blue, region.state.green):
        pods = tuple(replace(pod, restarts=3, exit_code=137, age_seconds=2e6) for pod in slot.pods)
        region.state = replace(region.state, **{slot.slot: replace(slot, pods=pods)})


def blinking(region: Simulated) -> None:
    """One of the live slot's pods has just missed a readiness probe."""
    here = region.state.slot(region.state.live_slot)
    pods = (replace(here.pods[0], ready=False, running_seconds=9e4, unready_seconds=1.0), *here.pods[1:])
    region.state = replace(region.state, **{here.slot: replace(here, pods=pods)})


def names_of(region: Simulated, wanted: strategy.Want) -> list[str]:
    found, seen = [], Seen()
    for _ in range(60):
        step = strategy.next_step(region.state, wanted, seen)
        found.append(type(step).__name__ + (f" {step.weight}" if isinstance(step, steps.Shift | steps.Judge) else ""))
        if isinstance(step, steps.Done):
            return found
        region.act(step, wanted)
        seen = replace(
            seen,
            verified=seen.verified or isinstance(step, steps.Verify),
            previewed=seen.previewed or isinstance(step, steps.Preview),
            judged=step.weight if isinstance(step, steps.Judge) else seen.judged,
        )
    raise AssertionError(f"it never ends: {found}")


def live_digests(region: Simulated) -> frozenset[str]:
    """The digests that users reach."""
    route = region.state.route
    assert route is not None
    reached = [slot for slot in (region.state.blue, region.state.green) if route.weight(slot.slot) > 0]
    return frozenset(digest for slot in reached for digest in ready_digests(slot.pods))


def test_a_first_release_sends_users_only_to_pods_that_are_ready() -> None:
    for weights in ((), BLUE_GREEN, CANARY):
        found = names_of(Simulated(), want(4, weights=weights))
        assert found == ["Upgrade", "Await", "Route", "Verify", "Remember", "Done"]


def test_blue_green_checks_the_idle_slot_before_it_gets_users_and_keeps_the_old_one() -> None:
    region = released(4)
    found = names_of(region, want(5, weights=BLUE_GREEN))
    assert found == ["Upgrade", "Await", "Preview", "Shift 100", "Verify", "Remember", "Done"]
    assert region.state.live_slot == "green" and ready_digests(region.state.blue.pods) == {artifact(4).digest}


def test_a_canary_gets_its_share_of_replicas_before_its_share_of_users() -> None:
    found = names_of(released(4), want(5, weights=CANARY))
    assert found[:6] == ["Upgrade", "Await", "Preview", "Shift 10", "Judge 10", "Upgrade"]
    assert [name for name in found if name.startswith(("Shift", "Judge"))] == [
        "Shift 10", "Judge 10", "Shift 25", "Judge 25", "Shift 50", "Judge 50", "Shift 100",
    ]  # fmt: skip
    region = released(4)
    step = strategy.next_step(region.state, want(5, weights=CANARY), Seen())
    assert step == steps.Upgrade("green", 1)


def test_the_second_blue_green_release_goes_back_to_the_first_slot() -> None:
    region = released(4)
    for minor in (5, 6, 7):
        assert roll(region, want(minor, weights=BLUE_GREEN)) == "done"
        assert live_digests(region) == {artifact(minor).digest}
    assert region.state.live_slot == "green"


def test_a_second_release_of_the_same_version_has_nothing_to_do() -> None:
    for weights in ((), BLUE_GREEN, CANARY):
        region = released(4)
        assert roll(region, want(5, weights=weights)) == "done"
        assert strategy.settled(region.state, want(5, weights=weights))
        assert not strategy.settled(region.state, want(5, config="c1"))
        worn(region)
        assert strategy.settled(region.state, want(5, weights=weights))


def test_a_pod_changed_behind_the_release_is_put_right() -> None:
    region = released(4)
    other = artifact(9).digest
    region.state = replace(
        region.state, blue=replace(region.state.blue, workload=Workload(other, 2, updated=2, ready=2))
    )
    assert isinstance(strategy.next_step(region.state, want(4), Seen()), steps.Upgrade)


def test_an_old_pod_that_still_serves_is_waited_for() -> None:
    region = released(4)
    old = Pod("old", artifact(3).digest, ready=True, running=True)
    region.state = replace(region.state, blue=replace(region.state.blue, pods=(*region.state.blue.pods, old)))
    assert isinstance(strategy.next_step(region.state, want(4), Seen()), steps.Await)


@given(kills=KILLS, pending=st.booleans(), weights=STRATEGIES, drops=st.booleans())
def test_a_release_killed_anywhere_goes_on_to_its_end(
    kills: list[int], pending: bool, weights: tuple[int, ...], drops: bool
) -> None:
    region, wanted = released(3), want(4, weights=weights)
    region.drops = drops
    for killed_after in kills:
        roll(region, wanted, stop_after=killed_after)
        slot = region.state.live_slot if not weights else strategy.other(region.state.live_slot)
        if pending and not (region.state.route and region.state.route.weight(slot) and weights):
            region.upgrade(slot, wanted, "pending-upgrade")
    assert roll(region, wanted) == "done"
    assert live_digests(region) == {artifact(4).digest}
    assert region.state.route is not None and region.state.route.previous is not None
    assert region.state.route.previous.artifact == artifact(3)


@settings(max_examples=300)
@given(kills=KILLS, back_kills=KILLS, fault=st.sampled_from(["", "bad", "unverifiable"]), weights=STRATEGIES)
def test_a_first_release_ever_ends_live_or_halted_and_the_next_one_goes_in(
    kills: list[int], back_kills: list[int], fault: str, weights: tuple[int, ...]
) -> None:
    """Killed after any of its steps, and on its way back, which can only remove what nobody was served by before."""
    region, first = Simulated(**({fault: frozenset({4})} if fault else {})), want(4, weights=weights)
    for killed_after in kills:
        roll(region, first, stop_after=killed_after)
    assert roll(region, first) == ("condemned" if fault else "done")
    if not fault:
        assert live_digests(region) == {artifact(4).digest}
        assert recovery.last_good(region.state, first) is None, "there is nothing before it to go back to"
        return
    users = region.state.route
    for killed_after in [*back_kills, 1000]:
        go_back(region, first, stop_after=killed_after)
        assert region.state.route == users, "weights stay where nothing else can serve"
    (way,) = recovery.ways([region.state], first)
    assert isinstance(way, recovery.Stuck) and way.removable and way.why
    region.remove(way.slot)
    assert recovery.ways([region.state], first) == ()
    assert roll(region, want(5, weights=weights)) == "done"
    assert live_digests(region) == {artifact(5).digest}


@settings(max_examples=300)
@given(
    kills=KILLS,
    back_kills=KILLS,
    fault=FAULTS,
    weights=STRATEGIES,
    before=STRATEGIES,
    first=st.booleans(),
    old=st.booleans(),
    drops=st.booleans(),
)
def test_a_bad_release_ends_on_the_last_good_version(
    kills: list[int],
    back_kills: list[int],
    fault: str,
    weights: tuple[int, ...],
    before: tuple[int, ...],
    first: bool,
    old: bool,
    drops: bool,
) -> None:
    """Also when strategies mix, when the bad release starts inside the window of the one before, when users were
    taken back `first`, before the recovery looked, and when the good version's pods are `old` and were restarted."""
    region = Simulated(**{fault: frozenset({5})})
    roll(region, want(3))
    roll(region, want(4, weights=before))
    if old:
        worn(region)
    bad, region.drops = want(5, weights=weights), drops
    for killed_after in kills:
        roll(region, bad, stop_after=killed_after)
    condemned = fault != "erring" or weights == CANARY
    assert roll(region, bad) == ("condemned" if condemned else "done")
    if first and (shift := migrations.users_back(region.state, bad, AppFile({}))) is not None:
        region.act(shift, bad)
        assert migrations.users_back(region.state, bad, AppFile({})) is None, "one write is enough"
    for killed_after in [*back_kills, 1000]:
        go_back(region, bad, stop_after=killed_after)
    assert live_digests(region) == {artifact(4).digest}
    assert region.state.route is not None and region.state.route.live is not None
    assert region.state.route.live.artifact == artifact(4)
    left = [pod for slot in (region.state.blue, region.state.green) for pod in slot.pods]
    assert artifact(5).digest not in {pod.digest for pod in left}, "a failed release leaves nothing behind"
    assert recovery.ways([region.state], bad) == ()


@given(plan=st.lists(st.tuples(STRATEGIES, st.integers(min_value=0, max_value=25)), min_size=1, max_size=6))
def test_releases_that_take_over_from_killed_ones_always_end_whole(plan: list[tuple[tuple[int, ...], int]]) -> None:
    """Each is killed somewhere and never taken back; the last one runs to its end, or is bad and goes back."""
    for fault in ("", "erring", "bad"):
        region = released(3, **({fault: frozenset({14})} if fault else {}))
        for minor, (weights, killed_after) in enumerate(plan, start=4):
            roll(region, want(minor, weights=weights), stop_after=killed_after)
        last = want(14, weights=plan[-1][0])
        if roll(region, last) == "done":
            assert live_digests(region) == {artifact(14).digest}
            continue
        good = recovery.last_good(region.state, last)
        assert good is not None
        assert go_back(region, last) == "done"
        assert live_digests(region) == {good.artifact.digest}


@given(good=st.integers(min_value=0, max_value=3), weights=STRATEGIES)
def test_every_region_that_changed_goes_back_in_reverse_order(good: int, weights: tuple[int, ...]) -> None:
    regions = [Simulated(name) for name in ("a", "b", "c", "d")]
    bad = want(5, weights=weights)
    for region in regions:
        roll(region, want(4))
    for region in regions[:good]:
        assert roll(region, bad) == "done"
    for region in regions[good:]:
        worn(region)
        blinking(region)
    ways = recovery.ways([region.state for region in regions], bad)
    assert [way.region for way in ways] == [region.name for region in reversed(regions[:good])]
    assert all(isinstance(way, recovery.Back) and way.at_once == bool(weights) for way in ways)
    for region in regions:
        assert go_back(region, bad) == "done"
        assert live_digests(region) == {artifact(4).digest}


def test_a_canary_that_was_dropped_when_its_run_died_is_judged_before_it_gets_more_users() -> None:
    region, wanted = released(4), want(5, weights=CANARY)
    region.drops = True
    assert roll(region, wanted, stop_after=5) == "killed"
    assert region.state.route is not None and region.state.route.weight("green") == 1
    assert strategy.next_step(region.state, wanted, Seen(previewed=True)) == steps.Judge("green", 1)
    # A region whose weights were changed since has a share that is none of its steps.
    wanted = want(5, weights=(50, 100))
    assert strategy.next_step(region.state, wanted, Seen()) == steps.Upgrade("green", 5)


def test_a_canary_that_was_left_half_way_can_be_released_at_once() -> None:
    region = released(4)
    roll(region, want(5, weights=CANARY), stop_after=4)
    assert roll(region, want(5, weights=BLUE_GREEN)) == "done"


@settings(max_examples=200)
@given(
    done=st.integers(min_value=0, max_value=3),
    begun=st.lists(st.integers(min_value=0, max_value=25), min_size=1, max_size=3),
    back_kills=st.lists(
        st.tuples(st.integers(min_value=0, max_value=3), st.integers(min_value=0, max_value=9)), max_size=6
    ),
    recover=st.sampled_from(["all", "failed"]),
    weights=STRATEGIES,
    fault=FAULTS,
)
def test_a_release_of_several_regions_goes_back_where_it_is_to_however_often_the_way_back_is_killed(
    done: int,
    begun: list[int],
    back_kills: list[tuple[int, int]],
    recover: str,
    weights: tuple[int, ...],
    fault: str,
) -> None:
    """Some took the version, some are under way, the last one fails; by `recover` those that took it keep it."""
    names = [f"r{number}" for number in range(done + len(begun) + 1)]
    regions, bad = [Simulated(name) for name in names], want(5, weights=weights)
    for number, region in enumerate(regions):
        roll(region, want(4))
        if number == len(names) - 1:
            setattr(region, fault, frozenset({5}))
    took = [region for region in regions[:done] if roll(region, bad) == "done"]
    took += [
        one for one, steps_ in zip(regions[done:], begun, strict=False) if roll(one, bad, stop_after=steps_) == "done"
    ]
    roll(regions[-1], bad)
    back = [region for region in regions if recover == "all" or region not in took]
    for which, killed_after in back_kills:
        # Each run looks at all of them, and is killed in one.
        for way in recovery.ways([region.state for region in back], bad)[: which + 1]:
            go_back(next(one for one in back if one.name == way.region), bad, stop_after=killed_after)
    for way in recovery.ways([region.state for region in back], bad):
        assert go_back(next(one for one in back if one.name == way.region), bad) == "done"
    for region in regions:
        assert live_digests(region) == {artifact(4 if region in back else 5).digest}
    assert recovery.ways([region.state for region in back], bad) == ()


def test_a_recovery_that_was_cut_short_is_gone_on_with() -> None:
    region, bad = released(4, bad=frozenset({5})), want(5)
    assert roll(region, bad) == "condemned"
    crashing = region.state.blue.pods[-1]
    region.upgrade("blue", want(4), "deployed")
    assert recovery.ways([region.state], bad) == ()
    here = region.state.blue
    region.state = replace(region.state, blue=replace(here, pods=(*here.pods, crashing)))
    assert recovery.changed(region.state, bad), "the bad version's pod is still there"
    region.state = replace(region.state, blue=replace(here, pods=here.pods[:7]))
    assert recovery.changed(region.state, bad), "too few of the good version's pods serve"
    region.state = replace(region.state, blue=replace(here, workload=Workload(artifact(5).digest, 10, updated=1)))
    assert recovery.changed(region.state, bad), "the Deployment still asks for the bad version"


def test_a_change_of_values_alone_goes_back_too() -> None:
    region = released(4)
    assert roll(region, want(4, config="c1")) == "done"
    (way,) = recovery.ways([region.state], want(4, config="c1"))
    assert isinstance(way, recovery.Back)
    assert (way.to.artifact, way.to.config) == (artifact(4), "c0")


def test_a_first_release_that_fails_has_no_way_back_and_may_be_removed() -> None:
    region = Simulated(bad=frozenset({4}))
    assert roll(region, want(4)) == "condemned"
    (way,) = recovery.ways([region.state], want(4))
    assert isinstance(way, recovery.Stuck) and way.removable


def test_an_unrecorded_version_that_still_serves_is_never_removed() -> None:
    region = released(3, bad=frozenset({4}))
    region.state = replace(region.state, route=None)
    assert roll(region, want(4)) == "condemned"
    (way,) = recovery.ways([region.state], want(4))
    assert isinstance(way, recovery.Stuck) and not way.removable


def test_users_are_not_sent_back_to_a_copy_that_is_not_healthy() -> None:
    region = released(4, erring=frozenset({5}))
    assert roll(region, want(5, weights=CANARY)) == "condemned"
    sick = tuple(replace(pod, ready=False) for pod in region.state.blue.pods)
    region.state = replace(region.state, blue=replace(region.state.blue, pods=sick))
    (way,) = recovery.ways([region.state], want(5, weights=CANARY))
    assert isinstance(way, recovery.Stuck) and not way.removable and "not healthy either" in way.why


def test_a_kept_slot_is_due_when_its_window_is_over_and_nobody_touched_it() -> None:
    region = released(4)
    roll(region, want(5, weights=BLUE_GREEN))
    assert live.due(region.state, "2026-01-01T00:29:59Z") is None
    assert live.due(region.state, "2026-01-01T00:30:00Z") == "blue"
    region.upgrade("blue", want(6), "deployed")
    assert live.due(region.state, "2026-01-01T00:30:00Z") is None


def test_after_the_window_the_way_back_is_an_upgrade_of_the_recorded_digest() -> None:
    region = released(4)
    roll(region, want(5, weights=BLUE_GREEN))
    region.act(steps.Retire("blue"), want(5))
    (way,) = recovery.ways([region.state], want(5, weights=BLUE_GREEN))
    assert isinstance(way, recovery.Back) and not way.at_once
    assert go_back(region, want(5, weights=BLUE_GREEN)) == "done"
    assert live_digests(region) == {artifact(4).digest}


def test_a_pending_operation_is_cleared_by_the_newest_revision_that_was_deployed() -> None:
    assert live.unblock_revision([(1, "superseded"), (2, "deployed"), (3, "pending-upgrade")]) == 2
    assert live.unblock_revision([(1, "pending-install")]) is None
