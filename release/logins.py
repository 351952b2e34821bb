"""How often one may try to log in: by name and address together, and by each alone. Times are seconds, epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WINDOW = 900.0
# A stranger must not lock a person out: he is stopped by his address long before the name alone is.
PER_PAIR, PER_ADDRESS, PER_NAME = 5, 20, 100


@dataclass(frozen=True, slots=True)
class Failure:
    """A log-in that failed at `at`, for `name` from `address`."""

    at: float
    name: str
    address: str


def wait(failures: Sequence[Failure], name: str, address: str, now: float) -> float:
    """Seconds until somebody at `address` may try as `name` again; 0 where he may now."""
    recent = [one for one in failures if now - one.at < WINDOW]
    pair = [one.at for one in recent if (one.name, one.address) == (name, address)]
    here = [one.at for one in recent if one.address == address]
    named = [one.at for one in recent if one.name == name]
    limits = ((pair, PER_PAIR), (here, PER_ADDRESS), (named, PER_NAME))
    # The one that makes room is the oldest of the newest that fill the limit.
    frees = [sorted(found)[-most] + WINDOW for found, most in limits if len(found) >= most]
    return max((free - now for free in frees), default=0.0)
