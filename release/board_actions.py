"""What a person can do from the board, and what exactly will happen: asked about before it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from release.board import Board
from release.board_releases import ReleaseView
from release.board_seen import SeenApproval
from release.errors import Refused
from release.people import Role
from release.versions import shown

Action = Literal["promote", "hold", "resume", "abort", "rollback", "approve", "reject"]
ACTIONS: tuple[Action, ...] = get_args(Action)
_VOTES: tuple[Action, ...] = ("approve", "reject")
ROLES: Mapping[Action, Role] = {action: "approve" if action in _VOTES else "operate" for action in ACTIONS}
# The only environment that the rollback pipeline is for.
ROLLED_BACK = "production"
_NEEDS_REASON = frozenset({"abort", "rollback", "reject", "promote"})


@dataclass(frozen=True, slots=True)
class Plan:
    """An action as it is asked about: `will` says what happens, `facts` about what. `fingerprint` changes when that
    is no longer what was shown. `subject` is the run, or the environment that is rolled back."""

    action: Action
    subject: str
    title: str
    will: str
    facts: tuple[tuple[str, str], ...]
    fingerprint: str
    button: str
    needs_reason: bool
    needs_code: bool = False
    danger: bool = False


def plan(board: Board, name: str, subject: str) -> Plan:
    """The plan. Raises Refused for an unknown action, and for one that is not possible now."""
    action = next((each for each in ACTIONS if each == name), None)
    if action is None:
        raise Refused(f"there is no action {name!r}.", field="action", next_step="Go back to the board.")
    if action == "rollback":
        return _rollback(board, subject)
    if action in _VOTES:
        found = next((one for one in board.approvals if one.run == subject), None)
        if found is None:
            raise _gone("this release no longer waits for approval.")
        return _vote(action, found)
    release = board.release(subject)
    if release is None:
        raise _gone("this release is no longer under way.")
    return _order(action, release)


def _order(action: Action, one: ReleaseView) -> Plan:
    if one.back or one.aborted or one.lapsed:
        raise _gone(f"{one.what} {'is being taken back' if one.back else one.state} already.")
    title, will, button = _ORDERS[action](one)
    weights = ", ".join(f"{course.region} {course.weight} %" for course in one.courses)
    facts = [("Release", one.what), ("Strategy", one.strategy), ("Environment", one.environment)]
    facts += [("Started by", one.who), ("Run", one.run), ("State", one.state), ("Canary", weights)]
    facts += [(f"Evidence in {course.region}", course.sentence) for course in one.courses]
    return _plan(action, one.run, title, will, facts, (one.run, one.what), button, danger=action == "abort")


_ORDERS: Mapping[Action, Callable[[ReleaseView], tuple[str, str, str]]] = {
    "promote": lambda one: (
        f"Promote {one.what} now",
        "The canary goes on to all users without waiting for evidence in its favour. You take the verdict upon "
        "yourself; evidence against it still takes it back.",
        "Yes, promote it now",
    ),
    "hold": lambda one: (
        f"Hold {one.what}",
        "It stays where it is, with the users it has, until somebody lets it go on. A canary keeps being judged, and "
        "is taken back if it is bad.",
        "Yes, hold it",
    ),
    "resume": lambda one: (f"Let {one.what} go on", "It goes on from where it was held.", "Yes, let it go on"),
    "abort": lambda one: (
        f"Abort {one.what}",
        "It ends for good. Users first: every region that it changed goes back to the version that was live before.",
        "Yes, abort it and take it back",
    ),
}


def _rollback(board: Board, subject: str) -> Plan:
    here = board.environment(subject) if subject == ROLLED_BACK else None
    if here is None:
        raise Refused(
            f"{subject!r} cannot be rolled back.", field="environment", next_step=f"Only {ROLLED_BACK} has a way back."
        )
    busy = next((one for one in board.releases if one.environment == subject and not one.lapsed), None)
    if busy is not None:
        raise _gone(f"{busy.what} is under way in {subject}: abort it instead.")
    ways = [(row.region, row.version, row.previous) for row in here.regions]
    if not any(previous for *_, previous in ways):
        raise _gone("no region knows a version before the one that is live.")
    facts = [
        (region, f"{shown(live) or 'nothing'} → {shown(previous)}" if previous else f"{shown(live)}: nothing before it")
        for region, live, previous in ways
    ]
    will = (
        "A run of the rollback pipeline takes every region to its last good version: no build, no approvals, never "
        "over an irreversible migration. Users first, inside the rollback window in one write of the weights."
    )
    # In an order of its own: rows change their places when a region falls ill.
    bound = tuple(sorted("/".join(one) for one in ways))
    return _plan(
        "rollback", subject, f"Roll {subject} back", will, facts, bound, f"Yes, roll {subject} back", danger=True
    )


def _vote(action: Action, one: SeenApproval) -> Plan:
    facts = [("Release", one.what), ("Image", one.digest), ("Strategy", one.strategy)]
    facts += [("Regions", ", ".join(one.regions)), ("Replaces", ", ".join(one.live))]
    facts += [("Asked for by", one.requester), ("Still missing", f"{one.missing} of {one.needed} approvals")]
    facts += [("The glass is broken", one.break_glass)] if one.break_glass else []
    bound = (one.run, one.digest, one.strategy, *one.regions, *one.live, one.break_glass)
    if action == "reject":
        will = "The release is refused, whoever else approves it. It can be asked for anew."
        return _plan(action, one.run, f"Reject {one.what}", will, facts, bound, "Yes, reject it", danger=True)
    will = (
        "Your approval counts for exactly this image, these regions and this strategy, over what is live now; if "
        "any of that changes, it no longer counts. Once nobody's approval is missing, the release goes on by itself."
    )
    return _plan(action, one.run, f"Approve {one.what}", will, facts, bound, "Yes, approve it")


def _plan(
    action: Action,
    subject: str,
    title: str,
    will: str,
    facts: list[tuple[str, str]],
    bound: tuple[str, ...],
    button: str,
    *,
    danger: bool = False,
) -> Plan:
    fingerprint = hashlib.sha256("\n".join((action, *bound)).encode()).hexdigest()[:32]
    told = tuple((name, value) for name, value in facts if value)
    code = ROLES[action] == "approve"
    return Plan(
        action, subject, title, will, told, fingerprint, button, action in _NEEDS_REASON, needs_code=code, danger=danger
    )


def _gone(what: str) -> Refused:
    return Refused(what, field="action", next_step="Look at the board as it is now.")
