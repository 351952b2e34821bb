"""What must be true before a production release touches anything: facts in, a list of checks out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from release import checks_made
from release.checks_made import Check, Facts
from release.errors import Refused
from release.policies import Checks


def listed(facts: Facts, policy: Checks) -> tuple[Check, ...]:
    """Every check but the last, telling the team, which is done only where all of these are well."""
    return (
        _unless_off(policy.release_notes, checks_made.release_notes(facts), "release_notes"),
        checks_made.staging(facts),
        _unless_off(policy.way_back, checks_made.way_back(facts), "way_back"),
        _unless_off(policy.last_good, checks_made.last_good(facts), "last_good"),
        _unless_off(policy.migrations, checks_made.migrations(facts), "migrations"),
        checks_made.free(facts),
    )


def team(policy: Checks, problem: str | None) -> Check:
    """Whether the team was told; `problem` is why not, None when it was."""
    if problem is None:
        return Check("team told", True, "the start was posted to #releases")
    step = "Mend the Slack webhook `releases`, or set `checks: {team_told: false}` in production.yaml."
    return _unless_off(policy.team_told, Check("team told", False, f"not told: {problem}", step), "team_told")


def require(checks: Sequence[Check]) -> None:
    """Raises Refused with every failing check's detail."""
    failing = [check for check in checks if not check.ok]
    if failing:
        raise Refused(
            " ".join(f"{check.name}: {_sentence(check.detail)}" for check in failing),
            field="pre-deployment checks",
            next_step=" ".join(check.next_step for check in failing if check.next_step),
        )


def rows(checks: Sequence[Check]) -> list[dict[str, str]]:
    """For a table of people's."""
    return [
        {"check": c.name, "result": "ok" if c.ok else "FAILED", "found": c.detail, "next": c.next_step} for c in checks
    ]


def _unless_off(on: bool, check: Check, key: str) -> Check:
    if on:
        return check
    found = "" if check.ok else f"; found: {check.detail}"
    return replace(check, ok=True, detail=f"turned off (checks.{key}){found}", next_step="")


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
