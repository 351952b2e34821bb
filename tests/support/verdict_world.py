"""A region's gateway for verdict tests: deterministic counts second by second, and faults on purpose."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from release.verdict import Counts, Kind, Policy, Sample, State, Verdict, judge, start


@dataclass
class World:
    """Users at `rps`, of whom the canary gets its weight. Error rates are per request."""

    policy: Policy = field(default_factory=lambda: Policy(latency=None))
    rps: int = 50
    base: float = 0.005
    bad: float = 0.005
    seed: int = 1
    pods: bool = True
    got: float = 1.0
    metrics: bool = True
    # Seconds until the gateway has taken over a weight.
    lag: int = 0
    now: float = 0.0
    weight: int = 0
    route_counted: bool = True
    failed: int = 0
    state: State = field(init=False)
    verdict: Verdict = field(init=False)
    kinds: list[Kind] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = start(self.policy)
        self.random = random.Random(self.seed)
        self.canary, self.stable, self.route = Counts(), Counts(), Counts()
        self.owed, self.given = 0.0, [0] * (self.lag + 1)
        self.poll(0)

    def poll(self, seconds: float = 1.0) -> Verdict:
        """Let users ask for `seconds`, and judge."""
        self._serve(seconds)
        self.now += seconds
        sample = self.sample() if self.metrics else None
        self.state, self.verdict = judge(self.state, sample, self.weight, self.now)
        self.kinds.append(self.verdict.kind)
        return self.verdict

    def sample(self) -> Sample:
        return Sample(self.now, self.canary, self.stable, self.route if self.route_counted else None)

    def run(self, seconds: float, poll: float = 1.0) -> Verdict:
        """Poll until something else than waiting is to be done, at most for `seconds`; weights follow the verdict."""
        until = self.now + seconds
        while self.now < until - 1e-9:
            verdict = self.poll(poll)
            if verdict.action in (Kind.ROLLBACK, Kind.ADVANCE):
                break
            self.weight = verdict.weight
        return self.verdict

    def _serve(self, seconds: float) -> None:
        every = round(self.rps * seconds)
        self.given = [*self.given[1:], self.weight]
        self.owed += every * self.given[0] / 100 * self.got
        canary = int(self.owed + 1e-9)
        self.owed -= canary
        stable = every - canary
        errors, others = self._errors(canary, self.bad if self.pods else 1.0), self._errors(stable, self.base)
        self.failed += errors
        if self.pods:
            self.canary = self.canary.plus(Counts(canary, errors))
        self.stable = self.stable.plus(Counts(stable, others))
        self.route = self.route.plus(Counts(every, errors + others))

    def _errors(self, requests: int, rate: float) -> int:
        return sum(self.random.random() < rate for _ in range(requests))
