"""A person's orders to a release that is under way: each safe at every moment, each kept with the person's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from release.errors import Refused

What = Literal["abort", "hold", "resume", "promote"]
ORDERS: tuple[What, ...] = get_args(What)


@dataclass(frozen=True, slots=True)
class Order:
    """`abort` takes the release back, `hold` stops it where it is until `resume`, `promote` needs no more verdicts.

    `at` is seconds since the epoch, by the API server's clock.
    """

    what: What
    who: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Steering:
    """What all orders so far come to."""

    held: Order | None = None
    aborted: Order | None = None
    promoted: Order | None = None


def order(what: str, who: str, reason: str, at: float) -> Order:
    """A checked order. Raises Refused without a name, and for an abort without a reason."""
    known = next((each for each in ORDERS if each == what), None)
    if known is None:
        raise Refused(f"there is no order {what!r}.", field="order", next_step=f"Choose one of {', '.join(ORDERS)}.")
    if not who.strip():
        raise Refused("an order needs the name of a person.", field="who")
    if known == "abort" and not reason.strip():
        raise Refused("an abort needs a reason.", field="reason", next_step="Give it with --reason.")
    return Order(known, who, reason, at)


def steering(orders: Sequence[Order]) -> Steering:
    """An abort stands for good and ends a hold; otherwise the latest of hold and resume counts."""
    aborted = next((each for each in orders if each.what == "abort"), None)
    promoted = next((each for each in orders if each.what == "promote"), None)
    pausing = [each for each in orders if each.what in ("hold", "resume", "promote")]
    held = pausing[-1] if pausing and pausing[-1].what == "hold" and aborted is None else None
    return Steering(held, aborted, promoted)
