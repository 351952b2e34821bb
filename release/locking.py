"""The lock's rule: one release of an application in an environment at a time, held by a lease that a dead run loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from release.errors import Halted, Refused
from release.steering import Order

# The API server tells its time in whole seconds.
_CLOCK_STEP = 1.0
# How many broken or expired holders the lock remembers.
_REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds or wants the lock: `run` identifies it (a restarted run is the same), `who` is a person or a
    trigger, `what` the pipeline and version, `note` anything a person should know. `threads` are the run's messages
    in Slack, for the run that may have to go on with it. `process` tells the processes of one run apart: each that
    takes the lock has its own; empty where nobody wrote it down."""

    run: str
    who: str
    what: str
    note: str = ""
    threads: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A lock that is held. `since` and `renewed` are seconds since the epoch in the API server's time; `lease`
    is how many seconds after `renewed` it lapses. `orders` are what people told its holder to do."""

    holder: Holder
    since: float
    renewed: float
    lease: float
    orders: tuple[Order, ...] = ()

    @property
    def lapses(self) -> float:
        return self.renewed + self.lease + _CLOCK_STEP


@dataclass(frozen=True, slots=True)
class Take:
    """It is free, or `lapsed` holds the dead run that loses it."""

    lapsed: Held | None = None


@dataclass(frozen=True, slots=True)
class Reacquire:
    """It is this run's already: from before a restart, or from a write whose answer was lost. Another process of the
    run that still lives loses it."""

    held: Held


@dataclass(frozen=True, slots=True)
class Wait:
    """Another run holds it; it lapses in `seconds` unless that run renews it."""

    held: Held
    seconds: float


Decision = Take | Reacquire | Wait


def may_take(held: Held | None, me: Holder, now: float) -> Decision:
    """May `me` have the lock at `now` (API server's time, seconds since the epoch)?"""
    if held is None:
        return Take()
    if held.holder.run == me.run:
        return Reacquire(held)
    if now >= held.lapses:
        return Take(lapsed=held)
    return Wait(held, held.lapses - now)


def mine(held: Held | None, me: Holder) -> bool:
    """Is it this very process that holds the lock?"""
    return held is not None and (held.holder.run, held.holder.process) == (me.run, me.process)


def still_acts(held: Held | None, me: Holder, now: float, notice: float, *, regional: bool) -> float:
    """For how many seconds another process of this run, which held the lock at `now`, may still be at work.

    It notices within `notice` seconds that it lost the lock; `regional` workers know only until when it was theirs.
    Where `me` has it already, the answer to that write was lost, and with it who had it before.
    """
    if held is None or held.holder.run != me.run:
        return 0.0
    left = max(0.0, held.lapses - now)
    return left if regional else min(left, notice)


@dataclass(frozen=True, slots=True)
class Ended:
    """A hold that its holder did not end itself: `how` is broken (by `who`, for `reason`) or lapsed. Audit."""

    how: Literal["broken", "lapsed"]
    holder: Holder
    who: str
    reason: str
    at: float


def remember(history: Sequence[Ended], ended: Ended) -> tuple[Ended, ...]:
    """`history` with `ended` added, without the oldest when there are too many to keep."""
    return (*history, ended)[-_REMEMBERED:]


_RECOVERING, _SPARED = "recovering: ", "recovering, the version spared: "
_ONLY = "only in "
_NOTE = 500


@dataclass(frozen=True, slots=True)
class Recovering:
    """A release is being taken back for a reason; `condemned` says that its version is to blame.

    `only` are the regions that go back where the others keep the version; empty for all that it changed.
    """

    reason: str
    condemned: bool
    only: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What is written on the lock."""
        where = f"{_ONLY}{', '.join(self.only)}: " if self.only else ""
        return f"{_RECOVERING if self.condemned else _SPARED}{where}{self.reason}"[:_NOTE]


def recovering(holder: Holder | None) -> Recovering | None:
    """The recovery that the holder noted on the lock; None where it noted none."""
    note = holder.note if holder is not None else ""
    for prefix in (_RECOVERING, _SPARED):
        if note.startswith(prefix):
            reason, only = note.removeprefix(prefix), ""
            if reason.startswith(_ONLY):
                only, _, reason = reason.removeprefix(_ONLY).partition(": ")
            return Recovering(reason, prefix == _RECOVERING, tuple(filter(None, only.split(", "))))
    return None


class LockHeld(Refused):
    """Another run holds the lock, and this one was not asked to wait."""


class LockLost(Halted):
    """The lock is no longer this run's: another run may be at work, so this one must change nothing more."""


def held_by_another(wait: Wait) -> LockHeld:
    """The answer to a release that will not wait."""
    holder = wait.held.holder
    note = f" ({holder.note})" if holder.note else ""
    return LockHeld(
        f"{holder.what} holds the lock: started by {holder.who}, run {holder.run}{note}.",
        field="lock",
        next_step=f"Wait for it to end. If it is dead, its lock lapses in {wait.seconds:.0f} s by itself; "
        "`tidegate unlock` takes it away now.",
    )


def lost(me: Holder, now_held: Held | None) -> LockLost:
    """What a run hears that wants to renew a lock it no longer has."""
    holder = "nobody" if now_held is None else f"{now_held.holder.what}, run {now_held.holder.run}"
    if now_held is not None and now_held.holder.run == me.run:
        holder = f"another process of the same run {me.run}"
    return LockLost(
        f"The lock of {me.what} was taken away while it ran; {holder} holds it now.",
        field="lock",
        next_step="Look at `tidegate status` before you start anything.",
    )
