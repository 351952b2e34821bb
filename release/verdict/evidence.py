"""Evidence against a version: a mixture of bets whose expected worth never grows while the version is good.

Every bet is worth 1 at its start. `Evidence` holds, for each bet, the ln of its worth times its share, summed over
all starts: that is all a later block needs, so a poll costs the same however long the release takes. By Ville's
inequality the sum ever reaches 1/alpha with a probability of at most alpha (docs/decisions/verdict.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp, inf, log

from release.verdict.policy import Mixture

# A burst of errors shorter than this cannot decide alone; also what a cap is filled up in.
BURST_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """`capped` and `raw`: ln worth by bet, with and without the cap. `purse`: what each bet may still win at once.

    `starts` were opened; the next one is due in `due` seconds.
    """

    capped: tuple[float, ...]
    raw: tuple[float, ...]
    purse: tuple[float, ...]
    starts: int = 0
    due: float = 0.0

    @property
    def ln(self) -> float:
        """ln E with the cap: what decides. 0 as long as nothing was bet."""
        return total(self.capped) if self.starts else 0.0

    @property
    def ln_raw(self) -> float:
        """ln E without the cap: what makes suspicious."""
        return total(self.raw) if self.starts else 0.0


def begin(mixture: Mixture, cap: float) -> Evidence:
    """No start is open yet: the first block opens one. `cap` is the most that a bet may win at once."""
    nothing = (-inf,) * len(mixture.rates)
    return Evidence(nothing, nothing, (cap,) * len(mixture.rates))


def grow(evidence: Evidence, mixture: Mixture, gains: Sequence[float], seconds: float, cap: float) -> Evidence:
    """The evidence after a block in which each bet won `gains` (ln; negative when it lost)."""
    while evidence.due <= 1e-9:
        evidence = _open(evidence, mixture)
    refill = cap * seconds / BURST_SECONDS
    purse = [min(cap, held + refill) for held in evidence.purse]
    won = [min(held, gain) for held, gain in zip(purse, gains, strict=True)]
    return Evidence(
        capped=tuple([worth + gain for worth, gain in zip(evidence.capped, won, strict=True)]),
        raw=tuple([worth + gain for worth, gain in zip(evidence.raw, gains, strict=True)]),
        purse=tuple([held - gain if gain > 0 else held for held, gain in zip(purse, won, strict=True)]),
        starts=evidence.starts,
        due=evidence.due - seconds,
    )


def restart(evidence: Evidence) -> Evidence:
    """Let the next block open a start: something changed that may have made the version bad just now."""
    return replace(evidence, due=0.0)


def total(logs: Iterable[float]) -> float:
    """ln of the sum of exp."""
    numbers = tuple(logs)
    top = max(numbers)
    return top if top == -inf else top + log(sum([exp(number - top) for number in numbers]))


def _open(evidence: Evidence, mixture: Mixture) -> Evidence:
    prior = mixture.prior(evidence.starts)
    fresh = [log(share * prior) for share in mixture.shares]
    return replace(
        evidence,
        capped=tuple([total(pair) for pair in zip(evidence.capped, fresh, strict=True)]),
        raw=tuple([total(pair) for pair in zip(evidence.raw, fresh, strict=True)]),
        starts=evidence.starts + 1,
        due=evidence.due + mixture.every,
    )
