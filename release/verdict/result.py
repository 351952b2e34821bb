"""What a verdict says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import exp

from release.verdict.counts import Counts


class Kind(StrEnum):
    """What is known now. The first five are also what can be done about it."""

    ROLLBACK = "ROLLBACK"
    DROP = "DROP"
    HOLD = "HOLD"
    ADVANCE = "ADVANCE"
    CONTINUE = "CONTINUE"
    NO_DATA = "NO_DATA"
    INCONCLUSIVE = "INCONCLUSIVE"


class Cause(StrEnum):
    """Why; each has its own policy."""

    NONE = ""
    BAD = "bad"
    NO_TRAFFIC = "no traffic"
    PROVIDER_DOWN = "provider down"
    TOO_LITTLE_DATA = "too little data"
    SHARED = "both versions"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the rules found: `action` is never NO_DATA or INCONCLUSIVE, `weight` is the percent to set now.

    `metric` names what decided: `errors`, `latency > 0.3 s`, `share`, `limit`. `page` asks for a person.
    """

    kind: Kind
    action: Kind
    weight: int
    cause: Cause = Cause.NONE
    metric: str = "errors"
    reason: str = ""
    page: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A finding with its evidence: `against` of `needed` rolls back, `favour` of `wanted` advances (ln).

    `suspicion` is the evidence against without its cap. `canary` and `stable` were counted in `seconds`.
    `sentence` is one line for an operator.
    """

    finding: Finding
    sentence: str
    seconds: float
    canary: Counts
    stable: Counts
    against: float
    suspicion: float
    needed: float
    favour: float
    wanted: float

    @property
    def kind(self) -> Kind:
        return self.finding.kind

    @property
    def action(self) -> Kind:
        """ROLLBACK, DROP, HOLD, ADVANCE or CONTINUE."""
        return self.finding.action

    @property
    def cause(self) -> Cause:
        return self.finding.cause

    @property
    def weight(self) -> int:
        """The percent of traffic that the canary should have now: 0 rolls back; the plan knows the next step's."""
        return self.finding.weight


def odds(ln: float) -> str:
    """`2900:1`, of the ln of an evidence, with two digits."""
    value = exp(min(ln, 690.0))
    if value >= 1e6:
        return "over 1000000:1"
    if value < 9.95:
        return f"{value:.1f}:1"
    digits = len(str(int(value)))
    return f"{round(value, 2 - digits):.0f}:1"
