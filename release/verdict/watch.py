"""After the switch there is no stable version beside the new one: it is held against absolute limits instead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log

from release.verdict import bets, evidence, reading
from release.verdict.counts import Block, Counts, Gap, Sample
from release.verdict.evidence import Evidence
from release.verdict.freshness import CAUSES, QUIET_SECONDS
from release.verdict.policy import Mixture, Policy
from release.verdict.result import Cause, Finding, Kind, Verdict, odds
from release.verdict.sentence import percent

# A long good past costs a bet against a limit more than one against a neighbour, so starts are opened more often.
MIXTURE = Mixture(every=15.0)


@dataclass(frozen=True, slots=True)
class Limit:
    """An error rate (0 to 1) that must not be exceeded; `alpha` is the risk to say so wrongly, over all polls."""

    rate: float
    alpha: float = 0.001
    name: str = "limit"

    @property
    def needed(self) -> float:
        return log(1 / self.alpha)


@dataclass(frozen=True, slots=True)
class Watching:
    """What a watch remembers. Begin with `start_watch`; `phi` is the dispersion known from before.

    `known` are the seconds that had data; it is over after `seconds` of them, or never by itself.
    """

    limits: tuple[Limit, ...]
    evidence: tuple[Evidence, ...]
    mixture: Mixture = MIXTURE
    phi: float = 1.0
    policy: Policy = Policy()
    last: Sample | None = None
    began: float | None = None
    moved: float = 0.0
    good: float = 0.0
    quiet: float = 0.0
    gap: Gap | None = None
    counts: Counts = Counts()
    seconds: float = inf
    known: float = 0.0


def start_watch(*limits: Limit, seconds: float = inf, phi: float = 1.0, policy: Policy | None = None) -> Watching:
    """Hold a version against all of `limits`, until `seconds` had data and there were users; `policy` says when data
    are none and a person is paged. Raises ValueError without a limit, or for one outside 0 to 1."""
    if not limits or not all(0 < limit.rate < 1 and 0 < limit.alpha < 1 for limit in limits):
        raise ValueError("a watch needs limits between 0 and 1")
    begun = tuple(evidence.begin(MIXTURE, limit.needed / 2) for limit in limits)
    return Watching(limits, begun, phi=max(1.0, phi), policy=policy or Policy(), seconds=seconds)


def watch(state: Watching, sample: Sample | None, now: float) -> tuple[Watching, Verdict]:
    """The state and the verdict after a poll: ROLLBACK over a limit, CONTINUE below, ADVANCE once it was watched for
    long enough, NO_DATA where nothing is known.

    All users' requests count, at the route where it is counted. Without data nothing is rolled back; after
    `give_up_after` seconds a person is paged.
    """
    block = reading.block(state.last, sample)
    newest = reading.newest(state.last, sample)
    state = replace(state, last=newest, began=now if state.began is None else state.began)
    seen = _count(_look(state, block, now), block)
    if state.gap is None and seen.gap is None:
        # What an outage hid is counted when it is over, but nobody watched meanwhile.
        seen = replace(seen, known=seen.known + block.seconds)
    return seen, _verdict(seen, now)


def _all(block: Block) -> Counts:
    both = block.canary.plus(block.stable)
    return both if block.route is None else block.route


def _look(state: Watching, block: Block, now: float) -> Watching:
    if state.began == now:
        state = replace(state, moved=now, good=now)
    gap = block.gap
    if gap is None and block.seconds > 0:
        quiet = 0.0 if _all(block).requests else state.quiet + block.seconds
        state = replace(state, moved=now, quiet=quiet)
        gap = Gap.NO_TRAFFIC if quiet >= QUIET_SECONDS else None
    elif gap is None:
        gap = Gap.STALE if now - state.moved > state.policy.stale_after else state.gap
    return replace(state, gap=gap, good=state.good if gap else now)


def _count(state: Watching, block: Block) -> Watching:
    if block.gap is not None or block.seconds <= 0:
        return state
    seen, grown = _all(block), []
    for limit, known in zip(state.limits, state.evidence, strict=True):
        gains = bets.over_limit(state.mixture.rates, limit.rate, seen.requests, seen.errors, state.phi)
        grown.append(evidence.grow(known, state.mixture, gains, block.seconds, limit.needed / 2))
    return replace(state, evidence=tuple(grown), counts=state.counts.plus(seen))


def _verdict(state: Watching, now: float) -> Verdict:
    known = zip(state.limits, state.evidence, strict=True)
    limit, worst = max(known, key=lambda pair: pair[1].ln - pair[0].needed)
    finding, seconds = _decide(state, limit, worst, now), now - (state.began or now)
    counts = state.counts
    return Verdict(
        finding=finding,
        sentence=_sentence(finding, limit, worst, counts, seconds),
        seconds=seconds,
        canary=counts,
        stable=Counts(),
        against=worst.ln,
        suspicion=worst.ln_raw,
        needed=limit.needed,
        favour=0.0,
        wanted=0.0,
    )


def _decide(state: Watching, limit: Limit, worst: Evidence, now: float) -> Finding:
    if worst.ln >= limit.needed:
        return Finding(Kind.ROLLBACK, Kind.ROLLBACK, 0, Cause.BAD, limit.name)
    if state.gap is None:
        over = state.known >= state.seconds and state.counts.requests > 0
        kind = Kind.ADVANCE if over else Kind.CONTINUE
        return Finding(kind, kind, 100, metric=limit.name)
    lapse = now - state.good
    action = Kind.HOLD if lapse >= state.policy.hold_after else Kind.CONTINUE
    page = lapse >= state.policy.give_up_after
    return Finding(Kind.NO_DATA, action, 100, CAUSES[state.gap], limit.name, str(state.gap), page)


def _sentence(finding: Finding, limit: Limit, worst: Evidence, counts: Counts, seconds: float) -> str:
    head = f"{finding.kind} after {seconds:.0f} s: "
    if finding.kind is Kind.NO_DATA:
        return head + f"{finding.reason} ({finding.cause}); nothing is concluded"
    share = f"{counts.rate:.1%} errors ({counts.errors}/{counts.requests}), {limit.name} {percent(limit.rate)}"
    risk = f" (false-alarm risk <={percent(limit.alpha)})" if finding.kind is Kind.ROLLBACK else ""
    return head + f"{share}; evidence {odds(worst.ln)}, needed {odds(limit.needed)}{risk}"
