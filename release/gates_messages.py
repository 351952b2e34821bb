"""What people are told about a release that stands at its gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from release.errors import Refused
from release.gates import Gate, Gates, Request, Standing, needed
from release.people import Person, is_called
from release.versions import shown


def rows(gates: Sequence[Gate]) -> list[dict[str, Any]]:
    """The gates as a table."""
    words = {True: "passed", False: "refused", None: "waiting"}
    return [{"gate": gate.name, "stands": words[gate.ok], "what": gate.detail} for gate in gates]


def subject(request: Request, version: str) -> str:
    """What somebody approves, in one line: the version over what is live where."""
    bound = request.bound
    live = sorted({shown(found[0]) if found[0] else "nothing" for found in bound.live.values()})
    over = f", over {' and '.join(live)}" if live else ""
    broken = f"; THE GLASS IS BROKEN: {request.break_glass}" if request.break_glass else ""
    return f"{shown(version)} ({bound.digest[:19]}) to {', '.join(bound.regions)}, {bound.strategy}{over}{broken}"


def form(request: Request, standing: Standing, version: str, refused: str) -> str:
    """What the form in Prefect says, in Markdown."""
    lines = [
        f"**{request.bound.what}**, asked for by {request.requester}: {subject(request, version)}.",
        standing.reason,
    ]
    if refused:
        lines.insert(0, f"The last answer was refused: {refused}")
    return "\n\n".join(lines)


def waits(standing: Standing, run: str) -> str:
    """The line of the run's log."""
    return f"waits: {standing.reason}. Approve with `tidegate approve {run[:8]}`, or in Prefect"


def ask(request: Request, standing: Standing, version: str, run: str, address: str) -> str:
    """The message in Slack."""
    return "\n".join(
        (
            f"{request.bound.what}, {shown(version)}, waits: {standing.reason}.",
            f"Asked for by {request.requester}. It is {subject(request, version)}.",
            f"Approve with `tidegate approve {run[:8]}`, or at {address}"
            if address
            else f"`tidegate approve {run[:8]}`",
        )
    )


def broken(request: Request, approvers: Sequence[str], version: str) -> str:
    """The announcement in #incidents."""
    who = " and ".join(approvers)
    return (
        f"Break-glass: {who} let {request.bound.what}, {shown(version)}, pass without its approvals, timer and freeze "
        f"windows.\nReason: {request.break_glass}\nAsked for by {request.requester}."
    )


def require_possible(policy: Gates, people: Mapping[str, Person], *, store: bool, broken: bool = False) -> None:
    """Before anything is done: could enough people ever approve? Raises Refused that says what is missing."""
    want, role = (1, "operate") if broken else (policy.approvals, "approve")
    if not want:
        return
    if not store:
        raise Refused(
            "approvals are asked for, and no database is configured that would keep them.",
            field="database.url",
            next_step="Name one in tidegate.yaml (docs/gates.md), or set `gates: {approvals: 0}` for this environment.",
        )
    able = [person for person in people.values() if person.may("operate" if broken else "approve")]
    if len(able) < want:
        raise Refused(
            f"{want} {_people(want)} must approve, and {len(able)} of `people` may.",
            field="people",
            next_step=f"Give more people the role {role} in tidegate.yaml, or ask for fewer approvals.",
        )


def require_enough(policy: Gates, request: Request, people: Mapping[str, Person]) -> None:
    """Whether enough people are left without the requester. Raises Refused."""
    want = 0 if request.break_glass else needed(policy, request)
    able = [one for one in people.values() if one.may("approve") and not is_called(one, request.requester)]
    if len(able) < want:
        raise Refused(
            f"{want} {_people(want)} must approve, and {len(able)} besides {request.requester} may.",
            field="people",
            next_step="Let somebody who cannot approve ask for it, or add people to tidegate.yaml.",
        )


def impossible(
    policy: Gates, request: Request, people: Mapping[str, Person], *, store: bool
) -> tuple[tuple[str, str], ...]:
    """Why the request could never pass its gates, as (what is wrong, what to do); empty where it could."""
    try:
        require_possible(policy, people, store=store, broken=bool(request.break_glass))
        require_enough(policy, request, people)
    except Refused as error:
        return ((f"approvals: {error.what}", error.next_step or ""),)
    return ()


def _people(number: int) -> str:
    return "person" if number == 1 else "people"
