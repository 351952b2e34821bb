"""Time-based one-time codes (RFC 6238, six digits, 30 s as a rule): whose turn of the clock a code belongs to."""

from __future__ import annotations

from datetime import UTC, datetime

import pyotp
from pyotp.utils import strings_equal

PERIOD = 30
# A code before and one after: clocks differ, and people type slowly.
_EITHER_SIDE = 1
# Six digits can be guessed: after so many wrong ones in so many seconds, none is looked at.
MOST_WRONG = 5
WRONG_WITHIN = 600.0


def step_of(secret: str, code: str, now: float, period: int = PERIOD) -> int | None:
    """The time step that `code` belongs to; None for a wrong one. A step is accepted once, by whoever keeps them."""
    given = "".join(code.split())
    totp = pyotp.TOTP(secret, interval=period)
    steps = range(int(now) // period - _EITHER_SIDE, int(now) // period + _EITHER_SIDE + 1)
    # All are compared, so that the time it takes says nothing.
    right = [step for step in steps if strings_equal(given, totp.at(datetime.fromtimestamp(step * period, UTC)))]
    return right[0] if right else None


def code_at(secret: str, now: float, period: int = PERIOD) -> str:
    """The code that a person's device shows."""
    return pyotp.TOTP(secret, interval=period).at(datetime.fromtimestamp(now, UTC))
