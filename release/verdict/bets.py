"""What each bet wins in a block: for a canary beside a stable version, for an absolute limit, for a share."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

ENOUGH = 20
CHANCE = 3.0


def ratio(weight: int, canary: int, stable: int, block_canary: int, block_stable: int) -> float | None:
    """Canary requests for one of the stable version: the step's so far, its weight's before 20 requests.

    Where the block's own ratio differs from that by more than chance, the share was not constant (a weight was
    just changed), and only the block's own keeps the bets fair. None where that does not exist.
    """
    expected = canary / stable if canary >= ENOUGH and stable else weight / (100 - weight)
    requests, share = block_canary + block_stable, expected / (1 + expected)
    chance = CHANCE * sqrt(requests * share * (1 - share)) + 1
    if abs(block_canary - requests * share) <= chance:
        return expected
    return block_canary / block_stable if block_canary and block_stable else None


def against_stable(
    rates: Sequence[float], ratio: float, rho: float, delta: float, block: tuple[int, int, int, int], phi: float
) -> list[float]:
    """ln won by each bet that the canary's rate is `rate` times rho * stable + delta, over the dispersion `phi`.

    `block` is canary requests and events, stable requests and events.
    """
    requests, bad, _, stable_bad = block
    r = rho * ratio
    null = r / (1 + r)
    gains = []
    for rate in rates:
        bet = rate * r / (1 + rate * r)
        # 1 + u/r and 1 - u of the method, with u = (1 + r) * (bet - null).
        won, lost = bet / null, (1 - bet) * (1 + r)
        gains.append((bad * log(won) + stable_bad * log(lost) - requests * delta * (won - 1)) / phi)
    return gains


def over_limit(rates: Sequence[float], limit: float, requests: int, bad: int, phi: float) -> list[float]:
    """ln won by each bet that the rate is `rate` times the absolute `limit`, or half-way to 1 where that is less."""
    gains = []
    for rate in rates:
        bet = min(rate * limit, (1 + limit) / 2)
        gains.append((bad * log(bet / limit) + (requests - bad) * log((1 - bet) / (1 - limit))) / phi)
    return gains


def short_share(parts: Sequence[float], least: float, canary: int, others: int) -> list[float]:
    """ln won by each bet that the canary gets only `1 - part` of the share `least` that it must get at least."""
    odds = least / (1 - least)
    return [canary * log(1 - part) + others * log(1 + part * odds) for part in parts]


def in_favour(
    parts: Sequence[float], ratio: float, rho: float, delta: float, block: tuple[int, int, int, int]
) -> list[float]:
    """ln won by each bet that the canary's rate is `1 - part` of rho * stable + delta."""
    requests, bad, _, stable_bad = block
    return [bad * log(1 - part) + stable_bad * log(1 + rho * ratio * part) + requests * delta * part for part in parts]
