"""The verdict on errors: the method's own vectors, and what a release would meet."""

from __future__ import annotations

from math import log

import pytest
from verdict_world import World

from release.verdict import (
    SPECIFIED,
    Block,
    Cause,
    Counts,
    Entry,
    Kind,
    Policy,
    Sample,
    advance,
    course,
    observe,
    past,
    replay,
    start,
)

GOOD = [(25, 0, 225, 0)] * 60
LATE = [(25, 0, 225, 1)] * 24 + [(25, 2, 225, 1)] * 6


def judged(blocks: list[tuple[int, int, int, int]], policy: Policy = SPECIFIED) -> list[tuple[float, float]]:
    entries = [
        Entry(5.0 * (i + 1), 10, Block(5.0, Counts(nc, kc), Counts(ns, ks)))
        for i, (nc, kc, ns, ks) in enumerate(blocks)
    ]
    return [(round(each.against, 3), round(each.favour, 3)) for each in course(policy, entries)]


def test_vector_of_a_bad_canary() -> None:
    expected = [(1.130, -1.675), (3.285, -2.388), (5.581, -2.940), (7.938, -3.424)]
    assert judged([(25, 2, 225, 1)] * 4) == expected


def test_vector_of_a_canary_that_only_fails() -> None:
    assert [against for against, _ in judged([(25, 25, 225, 0)] * 3)] == [3.107, 6.908, 10.708]


def test_vector_of_a_good_canary() -> None:
    given = judged(GOOD)
    assert given[-1] == (-2.038, 6.490)
    assert next(i + 1 for i, (_, favour) in enumerate(given) if favour >= log(100)) == 44


def test_vector_of_a_late_failure() -> None:
    assert judged(LATE)[-1] == (10.956, -3.090)


def test_two_metrics_and_a_thousandth_need_two_thousand_to_one() -> None:
    assert Policy().needed == pytest.approx(7.60, abs=0.005)
    assert Policy(regions=3).needed == pytest.approx(log(6000))
    assert Policy().needed_of(2) == pytest.approx(log(4000))


def test_a_bad_canary_is_taken_back_with_few_failing_users() -> None:
    failed = []
    for seed in range(11):
        world = World(bad=0.2, seed=seed)
        world.run(20)
        world.weight = 10
        world.run(120)
        assert (world.verdict.kind, world.verdict.cause) == (Kind.ROLLBACK, Cause.BAD)
        failed.append(world.failed)
    assert sorted(failed)[5] <= 15


def test_a_canary_that_only_fails_goes_to_one_percent_at_once() -> None:
    world = World(bad=1.0)
    world.run(20)
    world.weight = 10
    verdict = world.poll()
    assert (verdict.kind, verdict.weight) == (Kind.DROP, 1)
    world.weight = verdict.weight
    assert world.run(20).kind is Kind.ROLLBACK
    assert world.failed <= 15


def test_every_third_answer_bad_is_found() -> None:
    world = World()
    world.run(20)
    world.weight = 10
    for second in range(90):
        world.bad = 0.5 if second % 3 == 0 else 0.005
        if world.poll().action is Kind.ROLLBACK:
            break
        world.weight = world.verdict.weight
    assert world.verdict.kind is Kind.ROLLBACK


def test_a_good_canary_goes_up_step_by_step() -> None:
    world = World(rps=500, base=0.001, bad=0.001)
    world.run(60)
    for weight in (10, 25, 50):
        world.weight, begun = weight, world.now
        assert world.run(120).kind is Kind.ADVANCE
        assert world.now - begun >= world.policy.min_step
    assert world.now < 200


@pytest.mark.parametrize(("rps", "before", "least", "most"), [(50, 30, 140, 160), (50, 180, 0, 139), (500, 0, 0, 100)])
def test_the_last_step_waits_until_clustered_errors_would_have_shown(
    rps: int, before: int, least: int, most: int
) -> None:
    """Nobody has erred yet: a cluster of errors may not have come round."""
    world = World(policy=Policy(latency=None, weights=(10,)), rps=rps, base=0.0, bad=0.0)
    if before:
        world.run(before)
    begun, world.weight = world.now, 10
    assert world.run(400).kind is Kind.ADVANCE
    assert least <= world.now - begun <= most


def test_a_short_burst_does_not_condemn() -> None:
    world = World(base=0.0, bad=0.0)
    world.run(20)
    world.weight = 10
    world.run(20)
    world.bad = 1.0
    world.run(3)
    world.bad = 0.0
    assert world.verdict.kind in (Kind.HOLD, Kind.DROP)
    world.run(400)
    assert Kind.ROLLBACK not in world.kinds
    assert world.weight == 10, "it is back at its step's weight once the suspicion is gone"


def test_one_that_a_run_before_has_dropped_is_back_at_its_first_step_once_it_was_calm() -> None:
    """The run that dropped it died: all that is left is its weight, and nobody knows why."""
    world = World(base=0.001, bad=0.001, weight=1)
    while world.weight == 1:
        world.weight = world.poll().weight
        assert world.now < 120
    assert (world.weight, world.now >= 60) == (10, True)
    assert Kind.ADVANCE not in world.kinds, "what was seen at one percent promotes nothing"
    assert world.run(400).kind is Kind.ADVANCE


def test_one_that_a_run_before_has_dropped_and_that_is_bad_never_gets_more_users() -> None:
    world, weights = World(bad=0.3, weight=1), set()
    while world.poll().action is not Kind.ROLLBACK:
        world.weight = world.verdict.weight
        weights.add(world.weight)
        assert world.now < 600
    assert weights == {1}


def test_the_time_before_is_known_from_samples_of_it_and_is_part_of_what_is_stored() -> None:
    samples = [Sample(1000.0 + 5 * i, Counts(), Counts(250 * i, i)) for i in range(121)]
    state, entries = start(Policy(latency=None)), list(past(samples, 50.0))
    for each in entries:
        state, _ = advance(state, each)
    assert (entries[0].now, entries[-1].now, {each.weight for each in entries}) == (-545.0, 50.0, {0})
    assert (state.before.requests, state.before.events) == (30_000, (120,))
    counts = Counts()
    for second in range(51, 56):
        counts = counts.plus(Counts(45))
        state, entry = observe(state, Sample(second, Counts(), counts), 10, second)
        state, found = advance(state, entry)
        entries.append(entry)
    assert state.limit < 0.015, "and not the 5 % of one of whom nothing is known"
    assert replay(Policy(latency=None), entries) == found
    assert past(samples[:1], 50.0) == past([], 50.0) == ()


def test_an_incident_of_both_versions_holds_and_pages() -> None:
    world = World()
    world.run(120)
    world.weight = 10
    world.run(10)
    world.base = world.bad = 0.05
    world.run(60)
    assert Kind.ROLLBACK not in world.kinds
    assert (world.verdict.kind, world.verdict.cause) == (Kind.HOLD, Cause.SHARED)
    assert world.verdict.finding.page


def test_the_deadline_never_promotes() -> None:
    for fallback, action in (("rollback", Kind.ROLLBACK), ("hold", Kind.HOLD)):
        policy = Policy(latency=None, step_deadline=60, on_deadline=fallback)  # type: ignore[arg-type]
        world = World(policy=policy, rps=5)
        world.weight = 10
        world.run(61)
        assert (world.verdict.kind, world.verdict.action) == (Kind.INCONCLUSIVE, action)
        assert world.verdict.cause is Cause.TOO_LITTLE_DATA


def test_the_sentence_says_what_was_seen_and_what_it_is_worth() -> None:
    entries = [Entry(5.0 * i, 10, Block(5.0, Counts(25, 2), Counts(225, 1))) for i in range(1, 5)]
    assert course(SPECIFIED, entries)[-1].sentence == (
        "ROLLBACK after 20 s: canary 8.0% errors (8/100) vs stable 0.4% (4/900); "
        "evidence 2800:1, needed 2000:1 (false-alarm risk <=0.1%)"
    )


def test_a_step_that_has_its_evidence_says_what_it_still_waits_for() -> None:
    world = World(policy=Policy(latency=None, weights=(50,), min_step=30.0), base=0.0, bad=0.0)
    world.weight = 50
    world.poll()
    said = [world.poll().sentence for _ in range(100)]
    assert any("this step lasts 30 s at least; evidence in favour" in one for one in said[:28])
    assert "the last step needs 180 s or 8000 requests of the stable version, and has seen 100 s" in said[-1]
    assert world.run(100).action is Kind.ADVANCE
