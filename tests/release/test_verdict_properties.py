"""What holds for every course of counts, and why the false-alarm bound does."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import comb, exp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release.verdict import SPECIFIED, Block, Counts, Entry, Gap, Kind, Policy, advance, bets, course, replay, start
from release.verdict.evidence import BURST_SECONDS, begin, grow
from release.verdict.record import Stored, dump, load

POLICY = Policy()
BOUNDS = (0.1, 0.3, 1.2)
# Other tests run beside these: how long an example takes says nothing.
CALM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def counts(draw: st.DrawFn, most: int) -> Counts:
    requests = draw(st.integers(0, most))
    errors = draw(st.integers(0, requests))
    within = sorted(draw(st.lists(st.integers(0, requests), min_size=3, max_size=3)))
    return Counts(requests, errors, tuple(within))


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    now, result, weight = 0.0, [], draw(st.sampled_from([0, 10]))
    for _ in range(draw(st.integers(1, 20))):
        seconds = draw(st.sampled_from([0.0, 0.5, 1.0, 5.0]))
        now += seconds + draw(st.sampled_from([0.0, 0.1, 40.0]))
        weight = draw(st.sampled_from([weight, weight, weight, 1, 10, 25, 50]))
        canary, stable = draw(counts(60)), draw(counts(300))
        extra = Counts(draw(st.integers(0, 9)), 0)
        route = draw(st.sampled_from([None, canary.plus(stable), canary.plus(stable).plus(extra)]))
        gap = draw(st.sampled_from([None] * 6 + list(Gap)))
        result.append(Entry(now, weight, Block(seconds, canary, stable, route, 0, BOUNDS, gap)))
    return result


@CALM
@given(entries())
def test_stored_counts_give_the_same_verdicts(seen: list[Entry]) -> None:
    last = course(POLICY, seen)[-1]
    stored = Stored(POLICY, tuple(seen), "us-east-1: v1", last.sentence)
    text = dump(stored)
    assert load(text) == load(f"kept by hand:\n\n```\n{text}```\n") == stored
    assert course(POLICY, load(text).entries) == course(POLICY, seen)
    assert replay(POLICY, load(text).entries) == last


@CALM
@given(entries())
def test_what_a_killed_run_wrote_is_judged_as_far_as_it_got(seen: list[Entry]) -> None:
    torn = load(dump(Stored(POLICY, tuple(seen)))[:-3])
    assert (torn.entries, torn.given) == (tuple(seen[:-1]), "")


@CALM
@given(entries())
def test_a_poll_without_data_never_promotes(seen: list[Entry]) -> None:
    for entry, verdict in zip(seen, course(POLICY, seen), strict=True):
        if entry.block.gap is not None or entry.block.seconds == 0:
            assert verdict.action is not Kind.ADVANCE
        if verdict.kind in (Kind.NO_DATA, Kind.INCONCLUSIVE):
            assert verdict.action is not Kind.ADVANCE


@CALM
@given(entries())
def test_what_is_to_be_done_fits_the_weight(seen: list[Entry]) -> None:
    for entry, verdict in zip(seen, course(POLICY, seen), strict=True):
        assert verdict.action not in (Kind.NO_DATA, Kind.INCONCLUSIVE)
        assert verdict.suspicion >= verdict.against - 1e-6
        assert (verdict.weight == 0) == (verdict.action is Kind.ROLLBACK or entry.weight == 0)
        if verdict.action is Kind.DROP:
            assert verdict.weight == POLICY.drop_to < entry.weight


@CALM
@given(entries(), st.integers(1, 5))
def test_one_more_error_of_the_canary_is_never_to_its_advantage(seen: list[Entry], more: int) -> None:
    last = seen[-1]
    block = last.block
    worse = Counts(block.canary.requests + more, block.canary.errors + more, block.canary.within)
    better = Counts(block.canary.requests + more, block.canary.errors, block.canary.within)
    state = start(Policy(latency=None))
    for entry in seen[:-1]:
        state, _ = advance(state, entry)
    given_worse, given_better = (
        advance(state, Entry(last.now, 10, Block(1.0, each, block.stable)))[1] for each in (worse, better)
    )
    assert given_worse.against >= given_better.against - 1e-9
    assert given_worse.favour <= given_better.favour + 1e-9


@pytest.mark.parametrize(("stable_rate", "canary", "stable"), list(product((0.0, 0.02, 0.3), (3, 6), (10, 17))))
def test_no_bet_against_a_canary_is_expected_to_win(stable_rate: float, canary: int, stable: int) -> None:
    """The exact expectation over every outcome of a block, at the edge of what is allowed."""
    margins = POLICY.errors
    allowed = min(1.0, margins.rho0 * stable_rate + margins.delta0)
    outcomes = list(product(range(canary + 1), range(stable + 1)))
    for position in range(len(POLICY.against.rates)):
        expected = 0.0
        for bad, stable_bad in outcomes:
            block = (canary, bad, stable, stable_bad)
            gain = bets.against_stable(POLICY.against.rates, canary / stable, margins.rho0, margins.delta0, block, 1.0)[
                position
            ]
            expected += _chance(canary, bad, allowed) * _chance(stable, stable_bad, stable_rate) * exp(gain)
        assert expected <= 1 + 1e-9


@pytest.mark.parametrize(("stable_rate", "canary", "stable"), list(product((0.0, 0.02, 0.3), (3, 6), (10, 17))))
def test_no_bet_in_favour_of_a_bad_canary_is_expected_to_win(stable_rate: float, canary: int, stable: int) -> None:
    margins = POLICY.errors
    rate = margins.rho1 * stable_rate + margins.delta1
    for position in range(len(POLICY.favour)):
        expected = 0.0
        for bad, stable_bad in product(range(canary + 1), range(stable + 1)):
            block = (canary, bad, stable, stable_bad)
            gain = bets.in_favour(POLICY.favour, canary / stable, margins.rho1, margins.delta1, block)[position]
            expected += _chance(canary, bad, rate) * _chance(stable, stable_bad, stable_rate) * exp(gain)
        assert expected <= 1 + 1e-9


def test_no_bet_against_a_limit_is_expected_to_win() -> None:
    for limit in (0.01, 0.02, 0.5):
        for position in range(len(POLICY.against.rates)):
            gains = [bets.over_limit(POLICY.against.rates, limit, 20, bad, 1.0)[position] for bad in range(21)]
            assert sum(_chance(20, bad, limit) * exp(gain) for bad, gain in enumerate(gains)) <= 1 + 1e-9


def test_all_shares_of_all_starts_are_one() -> None:
    for mixture in (POLICY.against, SPECIFIED.against):
        assert sum(mixture.shares) == pytest.approx(1)
        assert sum(mixture.prior(start) for start in range(100_000)) == pytest.approx(1, abs=1e-4)


@CALM
@given(st.lists(st.floats(0, 60), min_size=1, max_size=40), st.sampled_from([0.5, 1.0, 5.0]))
def test_a_burst_counts_for_the_cap_and_what_fills_it_up_again(gains: list[float], seconds: float) -> None:
    cap, mixture = POLICY.needed / 2, POLICY.against
    known = grow(begin(mixture, cap), mixture, [0.0] * len(mixture.rates), 0.0, cap)
    before = known.capped[0]
    for gain in gains:
        known = grow(replace(known, due=60.0), mixture, [gain] * len(mixture.rates), seconds, cap)
    assert known.capped[0] - before <= cap + cap * seconds * len(gains) / BURST_SECONDS + 1e-6


def _chance(requests: int, bad: int, rate: float) -> float:
    return comb(requests, bad) * rate**bad * (1 - rate) ** (requests - bad)
