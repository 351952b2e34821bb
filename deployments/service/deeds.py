"""What people do from the board, by the same ways as the command line."""

from __future__ import annotations

import uuid

from deployments import orders, prefectapi, voting
from release.board_actions import Plan
from release.errors import Refused
from tasks import ballot


class RealDeeds:
    """Orders through the lock, votes through the ballot, a rollback as a run of its deployment."""

    async def do(self, plan: Plan, who: str, reason: str, code: str) -> str:
        """What was done, as a sentence. Raises what the same command would."""
        match plan.action:
            case "approve" | "reject":
                return voting.told(await voting.on_board(plan.subject, who, code, plan.action, reason))
            case "rollback":
                return await _roll_back(who, reason)
            case order:
                return f"{order}: {(await orders.give(plan.subject, order, who, reason)).told}"


async def _roll_back(who: str, reason: str) -> str:
    """Start the rollback pipeline's run; the gates know who asked for it, because a log-in proved it."""
    async with prefectapi.orders() as prefect:
        deployment = await prefect.deployment("rollback")
        if deployment is None:
            raise Refused(
                "the rollback pipeline is not registered with Prefect.",
                field="rollback",
                next_step="Register it with `prefect deploy --all`, or run `tidegate rollback` at a command line.",
            )
        parameters = {"reason": reason, "actor": who}
        run = await prefect.create(deployment, parameters, key=f"board-{uuid.uuid4()}", tags=("board",))
    await ballot.asked(run.id, who, "board")
    return f"rollback: run {run.id[:8]} will take production back."
