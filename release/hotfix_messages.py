"""What people are told of a hotfix: cards, the release's text, merges. Only what really happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from release.hotfix import Severity
from release.messages import duration
from release.model import Artifact
from release.outcome import RegionResult
from release.wayback import WayBack

BOT = "Emergency Deploy Bot"
ICON = ":fire:"
# The last line of what Tidegate writes into the repository: the events that follow from it start nothing.
SIGNATURE = "Tidegate run:"


@dataclass(frozen=True, slots=True)
class Fix:
    """A hotfix that was built. `checks` are lines about the checks of this run, `run` its id."""

    branch: str
    severity: Severity
    artifact: Artifact
    run: str
    checks: tuple[str, ...] = ()
    way_back: WayBack | None = None

    @property
    def tag(self) -> str:
        return f"v{self.artifact.version}"


def card(region: str, tag: str, branch: str, severity: str) -> list[dict[str, Any]]:
    """The attachment that says in #incidents that a region is about to change."""
    told = {"Region": region, "Version": tag, "Branch": branch, "Severity": severity}
    return [
        {
            "color": "danger",
            "title": "🚨 EMERGENCY HOTFIX DEPLOYMENT 🚨",
            "fallback": f"Emergency hotfix {tag} is being deployed to {region}",
            "fields": [{"title": title, "value": value, "short": True} for title, value in told.items()],
        }
    ]


def region_done(result: RegionResult, tag: str, watched: str) -> str:
    """For #incidents, when a region is done. `watched` says what the watch saw."""
    lines = (
        f"✅ Emergency hotfix deployed successfully to {result.region}",
        f"Version: {tag}",
        f"Pods: {result.ready} ready, after {duration(result.seconds)}",
        f"Monitoring: {watched}",
    )
    return "\n".join(lines)


def release_name(fix: Fix) -> str:
    return f"Emergency Hotfix {fix.tag}" if fix.severity == "critical" else f"Hotfix {fix.tag}"


def tag_message(fix: Fix) -> str:
    return f"{release_name(fix)}\n\n{SIGNATURE} {fix.run}"


def release_body(fix: Fix, live: Mapping[str, str], changes: Sequence[str]) -> str:
    """The GitHub release's text. `live` maps a region to when it went live (ISO 8601 UTC), `changes` are subjects."""
    return "\n".join(
        (
            f"🚨 **{release_name(fix)}**",
            "",
            f"**Severity:** {fix.severity}",
            f"**Branch:** {fix.branch}",
            f"**Commit:** {fix.artifact.commit}",
            f"**Image:** {fix.artifact.digest}",
            "",
            "**Deployed:**",
            *(f"- {region}: {at}" for region, at in live.items()),
            "",
            "**Changes:**",
            *(f"- {subject}" for subject in changes or ("none that a commit's subject tells",)),
            "",
            "**Verification:**",
            *(f"- ✅ {line}" for line in fix.checks or ("checked when it was built, in an earlier run",)),
            f"- ✅ live in all regions: {', '.join(live)}",
            "",
            f"{SIGNATURE} {fix.run}",
        )
    )


def merge_message(fix: Fix, head: str, base: str) -> str:
    first = f"Merge hotfix {fix.tag} into {base}" if head == fix.branch else f"Merge hotfix {fix.tag} from {head}"
    return f"{first}\n\n{SIGNATURE} {fix.run}"


def pull_request(fix: Fix, head: str, base: str, reason: str) -> tuple[str, str]:
    """Title and text of the pull request that stands in for a merge that GitHub would not make."""
    title = f"Merge hotfix {fix.tag}: {head} into {base}"
    text = (
        f"Hotfix {fix.tag} ({fix.severity}) is live in production. Its merge into `{base}` could not be made "
        f"by itself: {reason.rstrip('.')}.\n\nUntil this is merged, the next release from `{base}` would take the fix "
        f"away from users.\n\n{SIGNATURE} {fix.run}"
    )
    return title, text


@dataclass(frozen=True, slots=True)
class Left:
    """What a hotfix left behind in GitHub: `done` and `open` are sentences; what is open, a person must finish."""

    done: tuple[str, ...] = field(default=())
    open: tuple[str, ...] = field(default=())


def finished(fix: Fix, left: Left, seconds: float, actor: str) -> str:
    """For #incidents, at the end of a hotfix that is live everywhere."""
    lines = [
        f"✅ {release_name(fix)} is live in all regions after {duration(seconds)}, started by {actor}.",
        *(f"• {line}" for line in left.done),
        *(f":warning: {line}" for line in left.open),
    ]
    return "\n".join(lines)
