"""The verdict of a region: samples in, verdict out; also again, offline, from the counts that it saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from release.verdict import reading, rules, sentence
from release.verdict.counts import Block, Sample
from release.verdict.policy import Policy
from release.verdict.result import Verdict
from release.verdict.state import State, start
from release.verdict.step import step


@dataclass(frozen=True, slots=True)
class Entry:
    """What one poll saw: enough to compute every verdict again."""

    now: float
    weight: int
    block: Block


def observe(state: State, sample: Sample | None, weight: int, now: float) -> tuple[State, Entry]:
    """The sample as an entry to store, and the state that remembers the sample. None: the metrics do not answer."""
    entry = Entry(now, weight, reading.block(state.last, sample))
    return replace(state, last=reading.newest(state.last, sample)), entry


def past(samples: Sequence[Sample], now: float) -> tuple[Entry, ...]:
    """Samples from before the release, oldest first, as entries for `advance`: the last one was just taken."""
    return tuple(Entry(now - ago, 0, found) for ago, found in reading.blocks(samples))


def judge(state: State, sample: Sample | None, weight: int, now: float) -> tuple[State, Verdict]:
    """The state and the verdict after one poll at `now`, while the canary has `weight` percent of the traffic.

    `state` begins as `start(policy)`; `now` is in seconds of any clock that only grows.
    """
    state, entry = observe(state, sample, weight, now)
    return advance(state, entry)


def advance(state: State, entry: Entry) -> tuple[State, Verdict]:
    """The same from a stored entry."""
    state = step(state, entry.block, entry.weight, entry.now)
    return state, verdict(state, entry.now)


def course(policy: Policy, entries: Iterable[Entry]) -> tuple[Verdict, ...]:
    """Every verdict that was given on the way."""
    state, verdicts = start(policy), []
    for entry in entries:
        state, given = advance(state, entry)
        verdicts.append(given)
    return tuple(verdicts)


def replay(policy: Policy, entries: Sequence[Entry]) -> Verdict:
    """The last verdict, from what was stored. Raises ValueError where nothing was."""
    verdicts = course(policy, entries)
    if not verdicts:
        raise ValueError("there are no entries to judge")
    return verdicts[-1]


def verdict(state: State, now: float) -> Verdict:
    """The verdict of a state. Pure: asking again gives the same."""
    finding, worst, weakest = rules.decide(state, now), rules.worst(state), rules.weakest(state)
    shown = next((each for each in state.tracks if each.name == finding.metric), worst)
    seconds = max(0.0, now - state.began) if state.highest else 0.0
    return Verdict(
        finding=finding,
        sentence=sentence.of(state, finding, worst, weakest, seconds),
        seconds=seconds,
        canary=state.canary,
        stable=state.stable,
        against=shown.against.ln,
        suspicion=shown.against.ln_raw,
        needed=shown.needed,
        favour=weakest.ln_favour(),
        wanted=state.policy.wanted(state.weight),
    )
