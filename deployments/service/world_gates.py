"""What waits at the gates, as the board shows it: who voted, whose vote counts, and what is still needed."""

from __future__ import annotations

import time
from dataclasses import replace

from clients.ballots import Asked, Ballots
from clients.store import Store
from config import load
from deployments.service.observer import Change, Look
from release import gates_votes
from release.board_seen import Seen, SeenApproval, SeenVote
from release.gates_votes import Vote
from release.versions import shown


def approvals(store: Store) -> Look:
    """A look at the store's waiting requests."""
    ballots = Ballots(store)

    async def look(_: Seen) -> Change:
        found = [(one, await ballots.votes(one.bound.key)) for one in await ballots.waiting()]
        now = time.time()
        told = tuple(_approval(request, votes, now) for request, votes in found)
        return lambda seen: replace(seen, approvals=told)

    return look


def _approval(request: Asked, votes: tuple[Vote, ...], now: float) -> SeenApproval:
    gates, bound = load.environment(request.environment).gates, request.bound
    requester = "" if bound.break_glass else request.requester
    counted = gates_votes.count(votes, bound, load.settings().persons, now, gates.expire, requester)
    missing = max(0, request.needed - len(counted.approvers))
    rule = gates.broken() if bound.break_glass else gates
    until = request.at + rule.wait
    return SeenApproval(
        run=request.run,
        what=request.what,
        environment=request.environment,
        requester=request.requester,
        proven=request.proven,
        since=request.at,
        needed=request.needed,
        missing=missing,
        strategy=bound.strategy,
        digest=bound.digest,
        regions=bound.regions,
        live=tuple(_live(region, *bound.live.get(region, ("", ""))) for region in bound.regions),
        votes=tuple(_vote(vote, counted.left_out) for vote in votes),
        until=until,
        reason=counted.rejected or ("" if missing else "It waits for its timer." if until > now else "It is let in."),
        break_glass=bound.break_glass,
    )


def _live(region: str, version: str, digest: str) -> str:
    del digest
    return f"{region} {shown(version)}" if version else f"{region} nothing"


def _vote(vote: Vote, left_out: tuple[str, ...]) -> SeenVote:
    why = next((line for line in left_out if line.startswith(f"{vote.person}'s vote")), "")
    return SeenVote(vote.person, vote.decision, vote.at, vote.reason, why.partition(": ")[2])
