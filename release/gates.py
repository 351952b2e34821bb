"""What must be true before a release touches an environment: branch, freeze windows, approvals, and a wait.

`judge` decides from plain data and a time; it asks nobody. Times are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from release.gates_freeze import Freeze, frozen
from release.gates_votes import Bound, Counted, Vote, count
from release.people import Person

Word = Literal["passed", "waiting", "refused"]
# How long Prefect keeps a run suspended after its request has expired, in seconds: until then it is woken, and refuses
# and tells by itself.
KEPT = 3600.0


@dataclass(frozen=True, slots=True)
class Gates:
    """An environment's gates. `wait` counts from the request, `expire` from a vote, and bounds how long one is waited
    for; both are seconds. `zone` is the time zone that people are told times in. `scheduled` is what a run that a
    schedule made needs: the same approvals, or none."""

    approvals: int = 0
    wait: float = 0.0
    protected_branch: str | None = None
    expire: float = 86_400.0
    freezes: tuple[Freeze, ...] = ()
    zone: str = "UTC"
    scheduled: Literal["approvals", "none"] = "approvals"

    def by_schedule(self) -> Gates:
        """What they are for a run that a schedule made."""
        return replace(self, approvals=0) if self.scheduled == "none" else self

    def broken(self) -> Gates:
        """What is left of them when the glass is broken: one person who proves who he is, and the branch."""
        return replace(self, approvals=1, wait=0.0, freezes=())


@dataclass(frozen=True, slots=True)
class Request:
    """A run at the gates. `proven`: `requester` is a person whom the way he asked by really knows, or a schedule, so
    that nobody could approve what he asked for himself.

    `on_branch` is whether the commit is on the protected branch (None where that was asked before). `break_glass` is
    the reason that the glass is broken for; empty as a rule.
    """

    requester: str
    proven: bool
    at: float
    bound: Bound
    on_branch: bool | None = None
    break_glass: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: `ok` is None while it waits."""

    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a request stands. `until` is when the timer is over, and `missing` how many approvals there still must be.

    `reason` is why it waits or is refused; `next_step` what a person can do.
    """

    word: Word
    gates: tuple[Gate, ...]
    missing: int = 0
    until: float = 0.0
    reason: str = ""
    next_step: str = ""
    approvers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=())


def needed(policy: Gates, request: Request) -> int:
    """How many people must approve: one more where it is not proven who asked, since that may be one of them."""
    if request.break_glass:
        return 1
    return policy.approvals + (1 if policy.approvals and not request.proven else 0)


def judge(policy: Gates, request: Request, votes: Sequence[Vote], people: Mapping[str, Person], now: float) -> Standing:
    """How the request stands at `now`. `request.bound.live` is what is live now; a vote that saw something else live
    does not count. Refused gates are told before those that wait."""
    rules = policy.broken() if request.break_glass else policy
    counted = count(votes, request.bound, people, now, rules.expire, _not(request))
    gates = (
        _branch(rules, request),
        _freeze(rules, request, policy, now),
        _approvals(rules, request, counted, now),
        _timer(rules, request, now),
    )
    missing = max(0, needed(policy, request) - len(counted.approvers))
    word: Word = "refused" if any(one.ok is False for one in gates) else "waiting"
    if all(one.ok for one in gates):
        word = "passed"
    open_gate = next((one for one in gates if one.ok is False), None) or next(
        (one for one in gates if not one.ok), None
    )
    return Standing(
        word,
        gates,
        missing=missing,
        until=request.at + rules.wait,
        reason=open_gate.detail if open_gate else "",
        next_step=_next_step(open_gate, word),
        approvers=counted.approvers,
        left_out=counted.left_out,
    )


def _not(request: Request) -> str:
    """Whose approval does not count: the requester's own, but for broken glass, where one person acts alone."""
    return "" if request.break_glass else request.requester


def _branch(policy: Gates, request: Request) -> Gate:
    if policy.protected_branch is None:
        return Gate("branch", True, "any branch may be released here")
    if request.on_branch is False:
        return Gate("branch", False, f"the commit is not on {policy.protected_branch}.")
    return Gate("branch", True, f"the commit is on {policy.protected_branch}")


def _freeze(rules: Gates, request: Request, policy: Gates, now: float) -> Gate:
    at = datetime.fromtimestamp(now, UTC)
    found = frozen(rules.freezes, at)
    if found is not None:
        name, opens = found[0].name, told(found[1].timestamp(), rules.zone)
        return Gate("freeze", False, f"nothing is released during {name!r}, which lasts until {opens}.")
    if request.break_glass and frozen(policy.freezes, at) is not None:
        return Gate("freeze", True, f"broken: {request.break_glass}")
    return Gate("freeze", True, "no freeze window is open")


def _approvals(rules: Gates, request: Request, counted: Counted, now: float) -> Gate:
    want = needed(rules, request)
    if counted.rejected:
        return Gate("approvals", False, counted.rejected)
    have = ", ".join(counted.approvers)
    unproven = (
        "" if request.proven or request.break_glass or not want else ", one of them because nobody proved who asked"
    )
    if len(counted.approvers) >= want:
        return Gate("approvals", True, f"approved by {have}" if want else "none is needed")
    if now > request.at + rules.expire:
        return Gate("approvals", False, f"it was not approved within {_span(rules.expire)}.")
    got = f"{have} approved" if have else "nobody has yet"
    lost = "".join(f"; {line}" for line in counted.left_out)
    return Gate("approvals", None, f"{want} {'person' if want == 1 else 'people'} must approve{unproven}: {got}{lost}")


def _timer(rules: Gates, request: Request, now: float) -> Gate:
    until = request.at + rules.wait
    if rules.wait and now < until:
        return Gate("timer", None, f"{_span(until - now)} are left of the wait of {_span(rules.wait)}")
    return Gate("timer", True, f"{_span(rules.wait)} have passed since the request" if rules.wait else "none")


def told(at: float, zone: str) -> str:
    """A time as people read it: `Mon 2026-11-30 08:00 CET`."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M %Z")


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _next_step(gate: Gate | None, word: Word) -> str:
    if gate is None:
        return ""
    if word == "waiting":
        return (
            "Wait." if gate.name == "timer" else "`tidegate approve RUN`, the form in Prefect, or the button in Slack."
        )
    return {
        "branch": "Merge the commit into that branch first.",
        "freeze": "Ask again when it is over; an emergency may break the glass with --break-glass REASON.",
        "approvals": "Talk to them, then ask again.",
    }[gate.name]
