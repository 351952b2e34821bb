"""Votes from outside of a run: kept, and the run that waits for them begins again. The command line and Slack."""

from __future__ import annotations

from deployments import prefectapi
from release.errors import Refused, TidegateError
from tasks import ballot
from tasks.ballot import Cast


async def by_code(run: str, name: str, code: str, decision: str, reason: str) -> Cast:
    """`tasks.ballot.approve_by_code` from the command line."""
    return await woken(await ballot.approve_by_code(run, name, code, decision, reason, "cli"))


async def on_board(run: str, name: str, code: str, decision: str, reason: str) -> Cast:
    """`tasks.ballot.approve_by_code` from the release board."""
    return await woken(await ballot.approve_by_code(run, name, code, decision, reason, "board"))


async def by_slack(body: bytes, timestamp: str, signature: str) -> Cast:
    """`tasks.ballot.approve_by_slack`: `body` as it came, and the two headers of Slack's signature."""
    return await woken(await ballot.approve_by_slack(body, timestamp, signature))


def told(cast: Cast) -> str:
    """The answer to whoever voted."""
    vote, request = cast.vote, cast.request
    if vote.decision == "reject":
        return f"{vote.person} rejected {request.what}: it is refused."
    left = request.needed - cast.approved
    more = f"{left} more must approve" if left > 0 else "that is enough"
    return f"{vote.person} approved {request.what} for {request.environment}: {more}."


async def woken(cast: Cast) -> Cast:
    """The vote, once its run was told. Raises Refused where that has ended."""
    """The vote, once its run was told. Raises Refused where that has ended."""
    run = None
    try:
        async with prefectapi.runs() as runs:
            # Only a no is worth a process while the timer runs.
            if not await runs.wake(cast.request.run, timer=cast.vote.decision == "reject"):
                run = (await runs.of([cast.request.run])).get(cast.request.run)
    except TidegateError as error:
        # The vote is kept: whatever starts the run again finds it.
        error.what = f"the vote is kept, but its run was not told: {error.what}"
        raise
    # One whose process is gone is begun again, and finds the vote.
    if run is not None and run.over and run.type != "CRASHED":
        raise Refused(
            f"{cast.request.what} does not wait any more: its run has ended ({run.state}).",
            field="run",
            next_step="Start the release again, if it is still wanted.",
        )
    return cast
