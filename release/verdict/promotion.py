"""Evidence in favour of a version: that it is not worse than the margin allows. It starts anew at each share step."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from release.verdict.evidence import total

# How sharply bets follow the rate known from before: about the ln of the evidence that is needed in the end.
SHARPNESS = 6.0
CAP = 0.5


def shares(
    parts: Sequence[float], ratio: float, rho: float, delta: float, base: float | None, trust: float
) -> tuple[float, ...]:
    """The bets' shares, of which `trust` follows how fast each would win if both versions err at the rate `base`.

    Any shares keep the test valid, as long as they are chosen before the step; good ones make it faster.
    """
    even = 1 / len(parts)
    if base is None or trust <= 0:
        return (even,) * len(parts)
    speeds = [base * log(1 - v) + base / ratio * log(1 + rho * ratio * v) + delta * v for v in parts]
    best = max(speeds)
    if best <= 0:
        return (even,) * len(parts)
    likely = [exp(-SHARPNESS * (1 - speed / best)) if speed > -best else 0.0 for speed in speeds]
    whole = sum(likely)
    return tuple([(1 - trust) * even + trust * each / whole for each in likely])


def grow(
    stakes: Sequence[float], gains: Sequence[float], seconds: float, wanted: float, over: float
) -> tuple[float, ...]:
    """ln worth by bet after a block; one shorter than `over` seconds counts for less: no single moment promotes."""
    cap = wanted * min(CAP, seconds / over)
    return tuple([stake + min(cap, gain) for stake, gain in zip(stakes, gains, strict=True)])


def ln(stakes: Sequence[float], shares: Sequence[float], phi: float) -> float:
    """ln E' over the dispersion `phi`."""
    return total([log(share) + stake / phi for stake, share in zip(stakes, shares, strict=True)])
