"""What people are told, built from plain data: the same facts in every channel, no secrets."""

from __future__ import annotations

from collections.abc import Sequence

from release.model import Artifact
from release.outcome import Outcome
from release.versions import shown


def duration(seconds: float) -> str:
    """A duration as people say it: `0.8 s`, `42 s`, `3 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def staging_failed(version: str, commit: str, actor: str, outcome: Outcome) -> str:
    """For #deployments."""
    done = "Staging was brought back." if outcome.word == "recovered" else "Staging was not changed."
    if outcome.word == "halted":
        done = "Staging is as it was left: a person must decide."
    elif any(one.outcome == "released" for one in outcome.regions):
        done = "It runs in staging, and production will not take it until it is staged again."
    lines = (
        f":rotating_light: Staging did not take {shown(version)}.",
        f"Version: {shown(version)}",
        f"Commit: {commit[:12] or 'unknown'}",
        f"Actor: {actor}",
        f"Why: {outcome.reason}",
        f"{done} {_next(outcome)}".rstrip(),
    )
    return "\n".join(lines)


def staged_without_way_back(outcome: Outcome, actor: str) -> str:
    """For #deployments: staged and verified, but production will not take it."""
    return "\n".join(
        (
            f":warning: {shown(outcome.version)} is in staging. {' '.join(outcome.warnings)}",
            f"Version: {shown(outcome.version)}",
            f"Commit: {outcome.commit[:12]}",
            f"Actor: {actor}",
            "Next: Mend what keeps it from going back, and stage it again.",
        )
    )


def starting(version: str, strategy: str, regions: Sequence[str], actor: str) -> str:
    """For #releases, before anything is touched."""
    return "\n".join(
        (
            f":hourglass_flowing_sand: {shown(version)} is about to be released to production.",
            f"Version: {shown(version)}",
            f"Strategy: {strategy}",
            f"Regions: {', '.join(regions)}",
            f"Started by: {actor}",
        )
    )


def under_way(outcome: Outcome, waves: Sequence[Sequence[str]], actor: str) -> str:
    """For #releases, as the release goes on: the first message of its thread."""
    done = {one.region: one for one in outcome.regions}
    lines = [
        f"{':white_check_mark:' if name in done else ':hourglass_flowing_sand:'} {name}"
        + (f": {shown(done[name].version)} is live after {duration(done[name].seconds)}" if name in done else "")
        for wave in waves
        for name in wave
    ]
    head = f":hourglass_flowing_sand: {shown(outcome.version)} is being released to production."
    return "\n".join((head, f"Strategy: {outcome.strategy}", *lines, f"Started by: {actor}"))


def given_up(outcome: Outcome, actor: str) -> str:
    """For #releases, in the place of what was under way; #incidents has the rest."""
    said = {"recovered": "was taken back", "halted": "is halted"}.get(outcome.word, "was not released")
    return "\n".join(
        (
            f":rewind: {shown(outcome.version)} {said}; see #incidents.",
            f"Strategy: {outcome.strategy}",
            f"Why: {outcome.reason}",
            f"Started by: {actor}",
        )
    )


def not_started(version: str, why: str) -> str:
    """For #releases, where the team was told of a start that did not come."""
    return f":no_entry: {shown(version)} was not started, nothing was touched. Why: {why}"


def released(outcome: Outcome, actor: str) -> str:
    """For #releases."""
    regions = ", ".join(f"{r.region} ({duration(r.seconds)})" for r in outcome.regions)
    return "\n".join(
        (
            f":tada: {shown(outcome.version)} is live in production.",
            f"Version: {shown(outcome.version)}",
            f"Strategy: {outcome.strategy}",
            f"Regions: {regions}",
            f"Took: {duration(outcome.seconds)}, started by {actor}",
        )
    )


def incident(outcome: Outcome, actor: str, on_call: str) -> str:
    """For #incidents: what happened, what was done, what to do next."""
    headline = {
        "recovered": "was bad and was brought back",
        "halted": "is HALTED: a person must decide",
        "failed": "failed before it changed anything",
        "unavailable": "could not go on: an outside system does not answer",
    }.get(outcome.word, "failed")
    left = "as it was left: `tidegate status` shows it" if outcome.word == "halted" else "unchanged"
    subject = "Hotfix" if outcome.pipeline == "hotfix" else "Production release"
    back = ", ".join(f"{r.region} is on {shown(r.version)}" for r in outcome.regions if r.version)
    return "\n".join(
        (
            f":rotating_light: {subject} {shown(outcome.version)} {headline}. <!here> {on_call}".rstrip(),
            f"Version: {shown(outcome.version)}",
            f"Strategy: {outcome.strategy}",
            f"Why: {outcome.reason}",
            f"Live now: {back or left}",
            *(f"Users met: {one}" for one in outcome.harm),
            *aftermath(outcome),
            f"Next: {outcome.next_step or 'Read the reason above before releasing again.'}",
            f"Started by: {actor}",
        )
    )


def in_window(outcome: Outcome, actor: str, on_call: str) -> str:
    """For #incidents: a version turned out bad after its release; what its guard did, and what to do next."""
    version = shown(outcome.version)
    if outcome.word in ("refused", "unavailable"):
        return "\n".join(
            (
                f":warning: {version} is not watched in its rollback window. <!here> {on_call}".rstrip(),
                f"Why: {outcome.reason}",
                f"Next: {outcome.next_step or '`tidegate guard` watches what is left of it.'}",
            )
        )
    done = {
        "recovered": "was brought back",
        "failed": "is still live: by policy (guard.on_bad) a person decides",
        "halted": "is HALTED: a person must decide",
    }.get(outcome.word, f"ended as {outcome.word}")
    back = ", ".join(f"{r.region} is on {shown(r.version)}" for r in outcome.regions if r.version)
    return "\n".join(
        (
            f":rotating_light: {version} fails users in its rollback window, and {done}. <!here> {on_call}".rstrip(),
            f"Version: {version}",
            f"Why: {outcome.reason}",
            f"Live now: {back or 'as it was'}",
            *(f"Users met: {one}" for one in outcome.harm),
            *aftermath(outcome),
            f"Next: {outcome.next_step or 'Read the reason above before releasing again.'}",
            f"Started by: {actor}",
        )
    )


def aftermath(outcome: Outcome) -> tuple[str, ...]:
    """After a version was quarantined: what that means, and the revert that is offered."""
    if not outcome.quarantined:
        return ()
    lift = f'`tidegate quarantine lift {outcome.digest[7:19]} --reason "..."`'
    told = f"Quarantined: {outcome.digest[:19]} is refused everywhere until {lift}."
    if outcome.pipeline == "hotfix":
        return (told,)  # it never came to the main branch
    return told, f"Offered: `tidegate revert {outcome.run[:8]}` opens a pull request that takes the change back."


def not_accepted(refused: Sequence[tuple[str, str, str]]) -> str:
    """For #incidents: deliveries of GitHub that Prefect did not accept, each as (pipeline, id, why)."""
    lines = [f"{pipeline}, delivery {number}: {why}" for pipeline, number, why in refused[:5]]
    more = [f"and {len(refused) - 5} more"] if len(refused) > 5 else []
    return "\n".join(
        (
            f":warning: {len(refused)} of GitHub's events started nothing: Prefect did not accept what they ask for.",
            *lines,
            *more,
            "Next: Mend what it names (after an upgrade: `prefect --no-prompt deploy --all`), then redeliver at "
            "GitHub: Settings, Webhooks, Recent deliveries.",
        )
    )


def gone_back(bad: Artifact, good: Artifact) -> str:
    """The description of the Helm revision that brings a version back."""
    return f"back to {shown(good.version)}, because {shown(bad.version)} was bad"


def _next(outcome: Outcome) -> str:
    return f"Next: {outcome.next_step}" if outcome.next_step else ""
