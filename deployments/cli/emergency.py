"""`tidegate hotfix`, `tidegate rollback` and `tidegate retire`."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.cli import runner, who
from deployments.cli.release import BreakGlass, Here, Json, Wait


def hotfix(
    branch: Annotated[str, typer.Argument(help="The branch, hotfix/..., which holds what is live.")],
    severity: Annotated[str, typer.Option(help="critical, high or medium.")] = "critical",
    break_glass: BreakGlass = None,
    person: who.As = None,
    wait: Wait = False,
    here: Here = False,
    as_json: Json = False,
) -> None:
    """Test a hotfix branch, build it, bring it to production, then tag, publish and merge it.

    Critical: the critical and security tests, one approval, no timer, one region at a time, each watched.

    Example: `tidegate hotfix hotfix/stock --severity critical`.
    """
    call = {"branch": branch, "severity": severity, "wait_for_lock": wait, "break_glass": break_glass}
    runner.run("hotfix", call, who.asking(person), here=here, as_json=as_json)


def rollback(
    reason: Annotated[str, typer.Option(help="Why; it is told and kept.")],
    to: Annotated[str | None, typer.Option(help="vX.Y.Z; the last good version when left out.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only this region; may be given again.")] = None,
    wait: Wait = False,
    here: Here = False,
    as_json: Json = False,
) -> None:
    """Take production back to an earlier version: no build, no approvals, never over an irreversible migration.

    Example: `tidegate rollback --reason "checkout fails"`, or `tidegate rollback --to v1.4.0 --reason "..."`.
    """
    call = {"reason": reason, "to": to, "regions": region, "wait_for_lock": wait}
    runner.run("rollback", call, who.caller(), here=here, as_json=as_json)


def retire(
    environment: Annotated[str, typer.Argument(help="development, staging or production.")] = "production",
    wait: Wait = False,
    here: Here = False,
    as_json: Json = False,
) -> None:
    """Remove the slots that were kept for a rollback window that is over; safe at any time.

    Example: `tidegate retire production`.
    """
    call = {"environment": environment, "wait_for_lock": wait}
    runner.run("retire", call, who.caller(), here=here, as_json=as_json)
