"""Which votes count: each by a person who proved who he is, for exactly what would be released over what is live."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from release.errors import Refused
from release.people import Person, Role, is_called
from release.versions import shown

Decision = Literal["approve", "reject"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)


@dataclass(frozen=True, slots=True)
class Bound:
    """What an approval binds. `live` maps each of `regions` to (version, digest) as it is live, empty for nothing.

    `what` names pipeline and environment; `break_glass` the reason the glass is broken for: a vote for a usual release
    is none for breaking the glass.
    """

    what: str
    digest: str
    strategy: str
    regions: tuple[str, ...]
    live: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    break_glass: str = ""

    @property
    def key(self) -> str:
        """What is asked for, whatever is live: the same release started again has the same key, and finds its votes."""
        parts = (self.what, self.digest, self.strategy, *self.regions, self.break_glass)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `bound_from` reads it."""
        return {
            "what": self.what,
            "digest": self.digest,
            "strategy": self.strategy,
            "regions": list(self.regions),
            "live": {region: list(one) for region, one in self.live.items()},
            "break_glass": self.break_glass,
        }


def bound_from(data: Mapping[str, Any]) -> Bound:
    """What `as_dict` wrote."""
    live = {str(region): (str(one[0]), str(one[1])) for region, one in data["live"].items()}
    regions = tuple(str(one) for one in data["regions"])
    return Bound(data["what"], data["digest"], data["strategy"], regions, live, data.get("break_glass", ""))


@dataclass(frozen=True, slots=True)
class Vote:
    """A proven vote; `via` is the way it came by: cli, prefect, slack. `at` is seconds since the epoch."""

    person: str
    decision: Decision
    reason: str
    via: str
    at: float
    bound: Bound


@dataclass(frozen=True, slots=True)
class Counted:
    """Who approved; `rejected` is a rejection's sentence; `left_out` has one for each vote that does not count."""

    approvers: tuple[str, ...] = ()
    rejected: str = ""
    left_out: tuple[str, ...] = ()


def count(
    votes: Sequence[Vote], bound: Bound, people: Mapping[str, Person], now: float, expire: float, requester: str
) -> Counted:
    """Count each person's last vote. An approval by `requester` (any of his names) does not count; his no does."""
    last = {vote.person: vote for vote in sorted(votes, key=lambda vote: vote.at)}
    approvers: list[str] = []
    left_out: list[str] = []
    rejected = ""
    for vote in last.values():
        why = _why_not(vote, bound, people.get(vote.person), now, expire, requester)
        if why:
            left_out.append(f"{vote.person}'s vote does not count: {why}")
        elif vote.decision == "reject":
            rejected = f"{vote.person} rejected it: {vote.reason}"
        else:
            approvers.append(vote.person)
    return Counted(tuple(approvers), rejected, tuple(left_out))


def _why_not(vote: Vote, bound: Bound, person: Person | None, now: float, expire: float, requester: str) -> str:
    if person is None or not person.may(role_for(bound)):
        return "nobody of that name may approve it"
    if now > vote.at + expire:
        return "it expired"
    if vote.decision == "approve" and requester and is_called(person, requester):
        return "who asked cannot approve"
    return moved(vote.bound, bound)


def role_for(bound: Bound) -> Role:
    """What a person must be to approve: breaking the glass takes more."""
    return "operate" if bound.break_glass else "approve"


def moved(then: Bound, now: Bound) -> str:
    """Why what was bound `then` is not what there is now; empty where it is.

    Where the release itself went live already (it was killed half-way), nothing moved.
    """
    if then.key != now.key:
        return "it was for another release"
    for region in now.regions:
        before, after = then.live.get(region, ("", "")), now.live.get(region, ("", ""))
        if after[1] not in (before[1], now.digest):
            was, is_now = (shown(one[0]) if one[0] else "nothing" for one in (before, after))
            return f"{region} had {was} live then and has {is_now} now"
    return ""


def decision(text: str) -> Decision:
    """The decision of that name. Raises Refused for another."""
    for known in DECISIONS:
        if known == text.strip().lower():
            return known
    raise Refused(f"{text!r} is no decision.", field="decision", next_step=f"Choose one of {', '.join(DECISIONS)}.")


def approver(person: Person | None, name: str, bound: Bound, requester: str, what: Decision) -> Person:
    """The person who votes as `name`. Raises Refused for somebody who may not; broken glass is one person's, be it who
    asked."""
    role = role_for(bound)
    if person is None or not person.may(role):
        raise Refused(
            f"nobody called {name!r} may approve this.",
            field="approver",
            next_step=f"Give a name of `people` in tidegate.yaml that has the role {role}.",
        )
    if what == "approve" and not bound.break_glass and is_called(person, requester):
        raise Refused(
            f"{person.name} asked for this release, and who asked cannot approve.",
            field="approver",
            next_step="Let somebody else approve it.",
        )
    return person
