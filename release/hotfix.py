"""A hotfix: which branches, which checks, which version, and how a critical one is released."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

from release.environment import Environment, Hotfix
from release.errors import Refused
from release.model import Artifact, RegionState
from release.verdict import Counts, Limit
from release.verdict.guard import limit_from
from release.versions import Version

Severity = Literal["critical", "high", "medium"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_BRANCH = re.compile(r"hotfix/.+")
_NONE = Version(0, 0, 0)


def branch(name: str) -> str:
    """The branch's name without `refs/heads/`. Raises Refused unless it is `hotfix/` and something."""
    short = name.removeprefix("refs/heads/")
    if _BRANCH.fullmatch(short) is None:
        raise Refused(f"{name!r} is not a hotfix branch.", field="branch", next_step="Name it hotfix/<what it mends>.")
    return short


def severity(name: str) -> Severity:
    """The severity of that name. Raises Refused for an unknown one."""
    for known in SEVERITIES:
        if known == name:
            return known
    raise Refused(
        f"there is no severity {name!r}.", field="severity", next_step=f"Choose one of {', '.join(SEVERITIES)}."
    )


def tests(severity: Severity) -> tuple[str, ...]:
    """The application's commands that test it, in order; the audit and the security scan run beside them."""
    return ("critical", "security") if severity == "critical" else ("unit", "integration-critical")


def environment(production: Environment, severity: Severity) -> Environment:
    """Production as a hotfix of that severity is released to it.

    Critical: one region at a time with the hotfix's own roll-out, probes and approvals, no timer and no freeze window.
    Each region is backed up on its own, and nobody is shut out meanwhile. Anything else goes as every release does;
    only that its commit is not on the protected branch yet.
    """
    if severity != "critical":
        return replace(production, gates=replace(production.gates, protected_branch=None))
    own = production.hotfix
    return replace(
        production,
        backup=False,
        maintenance=replace(production.maintenance, mode="off"),
        waves=tuple((region,) for wave in production.waves for region in wave),
        parallel=1,
        rolling=replace(
            production.rolling, max_unavailable=own.max_unavailable, max_surge=own.max_surge, timeout=own.timeout
        ),
        probe=replace(production.probe, attempts=own.attempts, gap=own.gap),
        gates=replace(production.gates, approvals=own.approvals, wait=0.0, protected_branch=None, freezes=()),
        # What its own watch let pass in one region must not end it while it goes on in the next.
        guard=replace(production.guard, limit=max(production.guard.limit, own.error_limit)),
    )


def limits(own: Hotfix, before: Counts | None) -> tuple[Limit, ...]:
    """What a region is held against after a critical one: the absolute limit, and what the region was `before`.

    Half of the second limit's risk is spent on not knowing exactly how the region was.
    """
    absolute = Limit(own.error_limit, own.alpha)
    if before is None or before.requests == 0:
        return (absolute,)
    half = own.alpha / 2
    return absolute, Limit(limit_from(before, half), half, "before")


def live_commits(states: Sequence[RegionState]) -> Mapping[str, str]:
    """Region -> the commit recorded live there. Raises Refused where nothing is live anywhere."""
    found = {state.region: state.route.live.artifact.commit for state in states if state.route and state.route.live}
    if not found:
        raise Refused(
            "nothing is live in production, so there is nothing to mend.",
            field="branch",
            next_step="Release a first version: `tidegate stage`, then `tidegate release TAG`.",
        )
    return found


def replaced(states: Sequence[RegionState], fix: Artifact) -> str | None:
    """The commit that was live before the hotfix, in the first region that knows; None where none does."""
    routes = [state.route for state in states if state.route]
    records = [record for route in routes for record in (route.live, route.previous) if record]
    return next((record.artifact.commit for record in records if record.artifact.commit != fix.commit), None)


def not_from_live(branch: str, region: str, commit: str) -> Refused:
    """The branch would take away what is live."""
    return Refused(
        f"what is live (commit {commit[:12]}) is not in {branch}: the hotfix would take changes away from users.",
        region=region,
        field="branch",
        next_step=f"Start the branch from {commit[:12]}, or merge that commit into it, and push it.",
    )


def nothing_new(branch: str, tag: str) -> Refused:
    """The branch is an existing release."""
    return Refused(
        f"{branch} holds nothing that {tag} has not.", field="branch", next_step="Commit the fix to it and push it."
    )


def next_free(last: Version | None, taken: Collection[Version]) -> Version:
    """The last version with its patch raised by one, and further while that is taken."""
    found = last or _NONE
    while True:
        found = Version(found.major, found.minor, found.patch + 1)
        if found not in taken:
            return found
