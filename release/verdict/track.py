"""One metric of a canary: errors, or requests slower than one edge of the histogram."""

from __future__ import annotations

from dataclasses import dataclass, replace

from release.verdict import bets, evidence, promotion
from release.verdict.counts import Counts
from release.verdict.dispersion import Windows
from release.verdict.evidence import Evidence
from release.verdict.policy import Margins, Policy

MOST_DISPERSION = 10.0
ENOUGH_WINDOWS = 12


@dataclass(frozen=True, slots=True)
class Track:
    """`edge` is the histogram's bound (its position), None for errors. `needed` is ln of what rolls back.

    `mark` is the evidence without its cap when the weight was set, or 5 s later where it was lowered.
    """

    name: str
    edge: int | None
    margins: Margins
    needed: float
    against: Evidence
    favour: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    phi: float = 1.0
    mark: float = 0.0

    @property
    def position(self) -> int:
        """The metric's place among the events of `dispersion.Windows`."""
        return 0 if self.edge is None else 1 + self.edge

    def events(self, counts: Counts) -> int:
        """How many of these requests were bad by this metric."""
        if self.edge is None:
            return counts.errors
        return max(0, counts.requests - counts.within[self.edge]) if self.edge < len(counts.within) else 0

    def ln_favour(self) -> float:
        """ln E' of the share step so far."""
        return promotion.ln(self.favour, self.shares, self.phi) if self.favour else 0.0


def open_track(name: str, edge: int | None, margins: Margins, needed: float, policy: Policy) -> Track:
    """A metric of which nothing is known yet."""
    return Track(name, edge, margins, needed, evidence.begin(policy.against, needed / 2))


def step(track: Track, policy: Policy, weight: int, before: Windows) -> Track:
    """The metric at a new weight: evidence in favour starts anew, and evidence against has a start here too."""
    shares = promotion.shares(
        policy.favour,
        weight / (100 - weight),
        track.margins.rho1,
        track.margins.delta1,
        before.rate(track.position),
        policy.trust_history,
    )
    return replace(
        track,
        against=evidence.restart(track.against),
        favour=(0.0,) * len(shares),
        shares=shares,
        mark=track.against.ln_raw,
    )


def forgive(track: Track) -> Track:
    """The metric without what went beyond the cap: it had its consequence, a lower weight for a while."""
    return replace(track, against=replace(track.against, raw=track.against.capped))


def grow(
    track: Track,
    policy: Policy,
    canary: Counts,
    stable: Counts,
    *,
    ratio: float,
    seconds: float,
    phi: float,
    wanted: float | None,
) -> Track:
    """The metric after a block. `phi` divides the evidence against; without `wanted` nothing counts in favour."""
    block = (canary.requests, track.events(canary), stable.requests, track.events(stable))
    margins = track.margins
    gains = bets.against_stable(policy.against.rates, ratio, margins.rho0, margins.delta0, block, phi)
    against = evidence.grow(track.against, policy.against, gains, seconds, track.needed / 2)
    if wanted is None:
        return replace(track, against=against)
    won = bets.in_favour(policy.favour, ratio, margins.rho1, margins.delta1, block)
    favour = promotion.grow(track.favour, won, seconds, wanted, policy.promote_over)
    return replace(track, against=against, favour=favour)


def dispersion(position: int, before: Windows, running: Windows) -> float:
    """The dispersion that evidence against is divided by: from before the release where that is long enough."""
    known = before if before.closed >= ENOUGH_WINDOWS else running
    return min(MOST_DISPERSION, known.phi(position)) if known.closed >= ENOUGH_WINDOWS else 1.0
