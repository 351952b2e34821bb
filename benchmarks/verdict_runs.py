"""Simulated releases for the verdict's benchmark: one seed, one release. Counts only, without a clock.

The split is a smooth round robin, as real gateways do it; errors are independent unless said otherwise.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from math import erf, exp, lgamma, log, sqrt

from release.verdict import Block, Counts, Gap, Kind, Policy, bets, rules, track
from release.verdict.dispersion import Windows, add
from release.verdict.state import ERRORS, State, start
from release.verdict.step import step

NEVER = float("inf")
# What a Prometheus server knows of the time before, and what is read of a gateway until the canary's pods are there.
BEFORE, READ = 600, 30
ERRORS_ONLY = Policy(latency=None)
Draw = Callable[[int, float], int]
_tables: dict[tuple[int, float], list[float]] = {}


class Chance:
    """A seeded source of errors: independent, or in clusters of ten as a broken dependency makes them."""

    def __init__(self, seed: int, *, clustered: bool = False) -> None:
        self._random = random.Random(seed)  # noqa: S311 (a simulation's seed, not a secret)
        self.draw: Draw = self._clusters if clustered else self._single

    def _single(self, requests: int, rate: float) -> int:
        if rate >= 1:
            return requests
        key = (requests, rate)
        if key not in _tables:
            _tables[key] = _binomial(requests, rate)
        return bisect_left(_tables[key], self._random.random())

    def _clusters(self, requests: int, rate: float) -> int:
        return min(requests, 10 * self._single(requests, rate / 10))

    def uniform(self) -> float:
        return self._random.random()


def _binomial(requests: int, rate: float) -> list[float]:
    if rate <= 0 or requests == 0:
        return [1.0]
    whole = lgamma(requests + 1)
    logs = (
        whole - lgamma(bad + 1) - lgamma(requests - bad + 1) + bad * log(rate) + (requests - bad) * log(1 - rate)
        for bad in range(requests + 1)
    )
    table = list(accumulate(exp(each) for each in logs))
    table[-1] = 1.0
    return table


class Split:
    """How many of the users' requests each version gets in a poll."""

    def __init__(self, rps: float) -> None:
        self._rps, self._owed, self._rest = rps, 0.0, 0.0

    def next(self, seconds: float, weight: int) -> tuple[int, int]:
        self._owed += self._rps * seconds * weight / 100
        self._rest += self._rps * seconds * (100 - weight) / 100
        canary, stable = int(self._owed + 1e-9), int(self._rest + 1e-9)
        self._owed, self._rest = self._owed - canary, self._rest - stable
        return canary, stable


def detect(
    seed: int, rps: int, base: float, bad: float, poll: float, until: float, policy: Policy
) -> tuple[float, int]:
    """(seconds, failing requests) until the errors of a canary at 10 % are found; the evidence itself, unclouded."""
    chance, split = Chance(seed), Split(rps)
    known = track.open_track(ERRORS, None, policy.errors, policy.needed, policy)
    seconds, failed, canary_sum, stable_sum = 0.0, 0, 0, 0
    while seconds < until:
        canary, stable = split.next(poll, 10)
        errors, others = chance.draw(canary, bad), chance.draw(stable, base)
        seconds, failed = seconds + poll, failed + errors
        canary_sum, stable_sum = canary_sum + canary, stable_sum + stable
        ratio = bets.ratio(10, canary_sum, stable_sum, canary, stable)
        if ratio is None:
            continue
        counts = Counts(canary, errors), Counts(stable, others)
        known = track.grow(known, policy, *counts, ratio=ratio, seconds=poll, phi=1.0, wanted=None)
        if known.against.ln >= known.needed:
            return seconds, failed
    return NEVER, failed


def before(policy: Policy, chance: Chance, rps: int, base: float, seconds: int = BEFORE) -> State:
    """A state that knows what the stable version was like in the `seconds` before."""
    windows = Windows()
    for _ in range(seconds // 5):
        windows = add(windows, 5.0, rps * 5, (chance.draw(rps * 5, base),))
    return replace(start(policy), before=windows, running=windows)


def release(
    seed: int,
    rps: int,
    base: float,
    bad: float,
    policy: Policy,
    until: float,
    poll: float = 5.0,
    *,
    clustered: bool = False,
    incident: tuple[float, float, float] | None = None,
    known: int = BEFORE,
) -> tuple[Kind, float]:
    """(what a whole release came to, after how many seconds): steps, holds and drops as the release loop does them.

    `known` is how many seconds of the time before it are known. `incident` is (from, until, rate): a time in which both
    versions err at that rate.
    """
    chance, split = Chance(seed, clustered=clustered), Split(rps)
    state, weight, now = before(policy, chance, rps, base, known), policy.weights[0], 0.0
    while now < until:
        canary, stable = split.next(poll, weight)
        now += poll
        both = incident is not None and incident[0] < now <= incident[1]
        rates = (incident[2], incident[2]) if both and incident else (bad, base)
        block = Block(
            poll, Counts(canary, chance.draw(canary, rates[0])), Counts(stable, chance.draw(stable, rates[1]))
        )
        state = step(state, block, weight, now)
        found = rules.decide(state, now)
        if found.action is Kind.ROLLBACK:
            return Kind.ROLLBACK, now
        weight = found.weight
        if found.action is Kind.ADVANCE:
            higher = [each for each in policy.weights if each > weight]
            if not higher:
                return Kind.ADVANCE, now
            weight = higher[0]
    return Kind.CONTINUE, now


def without_data(seed: int, policy: Policy = ERRORS_ONLY) -> int:
    """How many polls of a good release promoted although they had no data; every second stretch has none."""
    chance, split, wrong = Chance(seed), Split(500), 0
    state, now, missing = before(policy, chance, 500, 0.001), 0.0, False
    for _ in range(120):
        now += 5
        missing = not missing if chance.uniform() < 0.2 else missing
        canary, stable = split.next(5, 10)
        gap = [Gap.PROVIDER, Gap.RESET, None][int(chance.uniform() * 3)] if missing else None
        empty = Block(0.0, gap=gap) if gap or chance.uniform() < 0.5 else Block(5.0, Counts(), Counts(stable, 0))
        block = empty if missing else Block(5.0, Counts(canary), Counts(stable))
        state = step(state, block, 10, now)
        wrong += missing and rules.decide(state, now).action is Kind.ADVANCE
    return wrong


BOUNDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)


def slower(seed: int, factor: float, part: float, until: float = 600, poll: float = 5.0) -> float:
    """Seconds until a canary is found slow: 50 requests a second, 10 %, log-normal times (median 0.1 s, sigma 0.5)."""
    chance, split, policy = Chance(seed), Split(50), Policy()
    state, now = start(policy), 0.0
    while now < until + 60:
        weight = 10 if now >= 60 else 0
        canary, stable = split.next(poll, weight)
        now += poll
        block = Block(poll, _timed(chance, canary, factor, part), _timed(chance, stable, 1.0, 0.0), bounds=BOUNDS)
        state = step(state, block, weight, now)
        if weight and rules.decide(state, now).action is Kind.ROLLBACK:
            return now - 60
    return NEVER


def _timed(chance: Chance, requests: int, factor: float, part: float) -> Counts:
    left, within, below = requests, [], 0.0
    for bound in BOUNDS:
        share = (1 - part) * _within(bound / factor) + part * _within((bound - 1.0) / factor)
        inside = chance.draw(left, min(1.0, max(0.0, round((share - below) / max(1e-12, 1 - below), 9))))
        left, below = left - inside, share
        within.append(requests - left)
    return Counts(requests, 0, tuple(within))


def _within(bound: float) -> float:
    return 0.5 * (1 + erf(log(bound / 0.1) / 0.5 / sqrt(2))) if bound > 0 else 0.0
