"""All thresholds of a verdict, with their defaults. Seconds, percent of traffic, and shares of 1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log
from typing import Literal

Fallback = Literal["rollback", "hold"]


@dataclass(frozen=True, slots=True)
class Mixture:
    """Bets on a canary that is `rates` times as bad as allowed, their shares (sum 1), and the starts' prior.

    The first start has the share `first`, the others what is left; a start opens every `every` seconds.
    """

    rates: tuple[float, ...] = (1.6, 2.5, 4, 6.5, 11, 20, 45, 200)
    shares: tuple[float, ...] = (0.05, 0.12, 0.20, 0.22, 0.20, 0.12, 0.06, 0.03)
    first: float = 0.75
    every: float = 60.0

    def prior(self, start: int) -> float:
        """The share of start 0, 1, ...; all shares together are 1."""
        return self.first if start == 0 else (1 - self.first) * 2 / ((start + 1) * (start + 2))


@dataclass(frozen=True, slots=True)
class Margins:
    """Allowed: canary <= rho0 * stable + delta0. Promoted: canary < rho1 * stable + delta1."""

    rho0: float = 1.1
    delta0: float = 0.001
    rho1: float = 1.0
    delta1: float = 0.01


@dataclass(frozen=True, slots=True)
class Policy:
    """How a canary is judged. `weights` are the steps; the last needs the stronger evidence.

    `regions` share the false-alarm budget `alpha`. `least_share` is the part of its weight that the canary must
    get. The stable version counts as unwell above what it was before the release by more than `stable_margin`, or
    above `stable_most` where that is not known. A canary that was dropped to `drop_to` percent goes back to its
    step's weight after `calm` seconds without new evidence. What happens when nothing can be said:
    `on_no_traffic`, `on_provider_down`, `on_deadline`. Evidence in favour is gathered over `promote_over` seconds at
    least, so that no single moment promotes. The last step is not left before the stable version is known from `known`
    seconds, or from many requests: without that nobody can tell whether errors come in clusters.
    """

    weights: tuple[int, ...] = (10, 25, 50)
    alpha: float = 0.001
    regions: int = 1
    errors: Margins = Margins()
    latency: Margins | None = Margins(rho0=1.25, delta0=0.005, rho1=1.5, delta1=0.01)
    against: Mixture = Mixture()
    # Bets that the canary's rate is 1 - v of what is just too much.
    favour: tuple[float, ...] = (0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 0.999)
    # How much of the bets in favour follows the error rate before the release; the rest is spread evenly.
    trust_history: float = 0.85
    step_odds: float = 20.0
    last_odds: float = 100.0
    suspect_odds: float = 20.0
    suspect_raw_odds: float = 100.0
    drop_to: int = 1
    min_step: float = 30.0
    promote_over: float = 10.0
    known: float = 180.0
    settle: float = 5.0
    step_deadline: float = 1800.0
    stale_after: float = 10.0
    hold_after: float = 30.0
    give_up_after: float = 120.0
    least_share: float = 0.75
    share_alpha: float = 0.0001
    stable_alpha: float = 0.0001
    stable_margin: float = 0.005
    stable_most: float = 0.05
    calm: float = 60.0
    history: float = 600.0
    on_no_traffic: Fallback = "rollback"
    on_provider_down: Fallback = "hold"
    on_deadline: Fallback = "rollback"

    @property
    def needed(self) -> float:
        """ln of the evidence that rolls back, by one metric (of an edge of several, see `needed_of`)."""
        return self.needed_of(1)

    def needed_of(self, edges: int) -> float:
        """The same where a metric is judged at several edges, which share its part of alpha."""
        metrics = 1 if self.latency is None else 2
        return log(metrics * edges * self.regions / self.alpha)

    def wanted(self, weight: int) -> float:
        """ln of the evidence that a step at `weight` percent needs to be left upwards."""
        return log(self.last_odds if weight >= self.weights[-1] else self.step_odds)

    def faster(self, speed: float) -> Policy:
        """The same with every wait divided by `speed`; evidence is counted in requests and stays as it is."""
        return replace(
            self,
            against=replace(self.against, every=self.against.every / speed),
            min_step=self.min_step / speed,
            promote_over=self.promote_over / speed,
            known=self.known / speed,
            # A second is left, in which a gateway takes a weight over,
            settle=min(self.settle, max(1.0, self.settle / speed)),
            step_deadline=self.step_deadline / speed,
            # and one in which any metrics can be asked.
            stale_after=min(self.stale_after, max(1.0, self.stale_after / speed)),
            hold_after=self.hold_after / speed,
            give_up_after=self.give_up_after / speed,
            calm=self.calm / speed,
        )


# The method exactly as it was first specified: its test vectors are computed with this.
SPECIFIED = Policy(
    errors=Margins(delta1=0.005),
    against=Mixture((1.5, 2.5, 5, 12, 40, 300), (1 / 6,) * 6, first=0.5),
    favour=(0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 0.999),
    trust_history=0.0,
    settle=0.0,
    known=0.0,
)
