"""No data is a verdict of its own: it neither rolls back a good version nor promotes any."""

from __future__ import annotations

import pytest
from verdict_world import World

from release.verdict import Cause, Counts, Kind, Policy, Sample, judge, start


def running(**changes: object) -> World:
    world = World(**changes)  # type: ignore[arg-type]
    world.run(20)
    world.weight = 10
    world.run(20)
    return world


def test_a_metrics_outage_holds_and_never_condemns() -> None:
    world = running(rps=500)
    world.metrics = False
    assert world.poll().kind is Kind.NO_DATA
    assert world.verdict.action is Kind.CONTINUE
    world.run(40)
    assert (world.verdict.action, world.verdict.cause) == (Kind.HOLD, Cause.PROVIDER_DOWN)
    world.run(3600)
    assert world.verdict.action is Kind.HOLD, "an outage longer than the step's deadline does not condemn either"
    assert world.verdict.finding.page
    world.metrics = True
    assert world.run(60).kind is Kind.ADVANCE


def test_metrics_that_were_down_from_the_start_do_not_condemn_when_they_come_up() -> None:
    world = World(rps=500, metrics=False)
    world.weight = 10
    world.run(300)
    world.metrics = True
    assert world.poll().action is Kind.CONTINUE
    assert world.run(120).kind is Kind.ADVANCE


def test_what_happened_during_an_outage_counts_when_the_metrics_are_back() -> None:
    world = running()
    world.metrics, world.bad = False, 0.3
    world.run(20)
    world.metrics = True
    assert world.poll().kind in (Kind.DROP, Kind.HOLD)
    assert world.run(20).kind is Kind.ROLLBACK


def test_metrics_that_stand_still_are_no_health() -> None:
    world = running(rps=500)
    frozen = world.sample()
    kinds = []
    for _ in range(100):
        world.now += 1
        world.state, verdict = judge(world.state, frozen, 10, world.now)
        kinds.append(verdict.kind)
    assert Kind.ADVANCE not in kinds
    assert verdict.cause is Cause.PROVIDER_DOWN
    assert verdict.action is Kind.HOLD


def test_metrics_that_are_scraped_seldom_are_not_stale() -> None:
    world = World(policy=Policy(latency=None, stale_after=45), rps=500)
    world.weight = 10
    sample, kinds = world.sample(), []
    for second in range(1, 121):
        world._serve(1)
        world.now += 1
        sample = world.sample() if second % 15 == 0 else sample
        world.state, verdict = judge(world.state, sample, 10, world.now)
        kinds.append(verdict.kind)
    assert Kind.ADVANCE in kinds
    assert kinds.count(Kind.NO_DATA) <= 15


def test_counters_that_begin_again_add_nothing() -> None:
    world = running()
    before = world.state
    world.canary, world.stable, world.route = Counts(3, 3), Counts(30, 0), Counts(33, 3)
    assert (world.poll().kind, world.verdict.cause) == (Kind.NO_DATA, Cause.PROVIDER_DOWN)
    assert world.state.canary == before.canary
    assert world.poll().kind is Kind.CONTINUE


@pytest.mark.parametrize(("fallback", "action"), [("rollback", Kind.ROLLBACK), ("hold", Kind.HOLD)])
def test_no_users_at_all_is_for_the_policy_to_decide(fallback: str, action: Kind) -> None:
    world = running(policy=Policy(latency=None, on_no_traffic=fallback))  # type: ignore[arg-type]
    world.rps = 0
    world.run(20)
    assert (world.verdict.kind, world.verdict.cause) == (Kind.NO_DATA, Cause.NO_TRAFFIC)
    world.run(120)
    assert world.verdict.action is action


def test_little_traffic_is_not_none() -> None:
    world = World(rps=2)
    world.weight = 10
    world.run(60)
    assert Kind.NO_DATA not in world.kinds[1:]


def test_a_canary_that_gets_nothing_is_seen() -> None:
    world = World(got=0.0)
    world.weight = 10
    verdict = world.run(60)
    assert (verdict.kind, verdict.cause) == (Kind.ROLLBACK, Cause.NO_TRAFFIC)
    assert "canary got 0.0% of the traffic" in verdict.sentence


def test_a_canary_that_gets_half_its_share_is_seen() -> None:
    world = World(got=0.5)
    world.weight = 10
    assert (world.run(120).kind, world.verdict.finding.metric) == (Kind.ROLLBACK, "share")


def test_a_canary_that_gets_a_little_less_is_left_alone() -> None:
    world = World(rps=500, got=0.9)
    world.weight = 10
    assert world.run(120).kind is Kind.ADVANCE


def test_errors_that_only_the_route_counts_are_the_canary_s() -> None:
    world = World(pods=False)
    world.run(20)
    world.weight = 10
    verdict = world.run(60)
    assert (verdict.kind, verdict.cause) == (Kind.ROLLBACK, Cause.BAD)
    assert verdict.canary.errors > 0
    assert world.failed <= 15


def test_such_errors_are_the_canary_s_also_while_the_gateway_has_not_dropped_it_yet() -> None:
    world = World(pods=False, base=0.0, lag=4)
    world.run(20)
    world.weight = 10
    verdict = world.run(60)
    assert (verdict.kind, verdict.cause) == (Kind.ROLLBACK, Cause.BAD)
    assert Kind.HOLD in world.kinds
    # With one user in a hundred, a block is too small to tell whose a single error is.
    assert verdict.canary.errors >= world.failed - 1
    assert verdict.stable.errors <= 1


def test_errors_of_testers_at_the_preview_do_not_hide_those_of_users() -> None:
    world = World()
    world.run(20)
    world.canary = world.canary.plus(Counts(60, 50))
    world.run(5)
    world.pods, world.weight = False, 10
    assert (world.run(30).kind, world.verdict.cause) == (Kind.ROLLBACK, Cause.BAD)


def test_without_the_route_s_counters_such_a_canary_lacks_its_share() -> None:
    world = World(pods=False, route_counted=False)
    world.weight = 10
    assert (world.run(60).kind, world.verdict.cause) == (Kind.ROLLBACK, Cause.NO_TRAFFIC)


def test_a_stable_version_without_pods_does_not_condemn_the_canary() -> None:
    world = running()
    state, sample = world.state, world.sample()
    for second in range(1, 60):
        # The stable version's requests fail at the route, and no Service counts them.
        sample = Sample(
            world.now + second,
            sample.canary.plus(Counts(5, 0)),
            sample.stable,
            sample.route.plus(Counts(50, 45)) if sample.route else None,
        )
        state, verdict = judge(state, sample, 10, world.now + second)
        assert verdict.action is not Kind.ROLLBACK
        assert verdict.kind is not Kind.ADVANCE


def test_the_first_reading_says_nothing() -> None:
    sample = Sample(1.0, Counts(1000, 900), Counts(9000, 0))
    _, verdict = judge(start(Policy()), sample, 10, 1.0)
    assert (verdict.kind, verdict.action) == (Kind.NO_DATA, Kind.CONTINUE)
