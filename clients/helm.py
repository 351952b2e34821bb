"""Helm, through its command line: the interface it supports, in the version the user has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients import helm_errors
from clients.helm_command import HelmCommand, Place
from clients.helm_errors import NoRelease
from clients.kube_errors import Conflict
from release import names
from release.errors import Failed

__all__ = ["Helm", "Listed", "Place", "Revision"]

# Helm's own time-out comes first, so that it can say what it waited for and leave a failed release, not a pending one.
_MARGIN = 15.0


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of a release's history. `status` is Helm's word: deployed, superseded, failed, pending-upgrade..."""

    revision: int
    status: str
    description: str
    updated: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A release as `helm list` shows it: its newest revision."""

    name: str
    revision: int
    status: str
    chart: str
    updated: str


class Helm(HelmCommand):
    """Releases of a namespace, by name.

    Every method raises Unavailable when the API server does not answer, and Refused when the chart, a right or the
    request is wrong: of it Conflict, Pending and NoRelease where the caller can do something about it.
    """

    async def upgrade(
        self,
        at: Place,
        release: str,
        chart: Path,
        values: Mapping[str, Any],
        *,
        labels: Mapping[str, str],
        description: str,
        timeout: float,
        force_conflicts: bool = False,
    ) -> None:
        """Install or upgrade, server-side; it does not wait for pods. `timeout` in seconds is for hooks.

        `force_conflicts` takes back fields that someone changed behind Helm's back; without it that is a Conflict.
        What Tidegate itself held there is taken back in any case.
        """
        # Its validation takes 0.15 s, and finds no more than that the server validates; that does, at each apply.
        words = [*_install(release, chart), "--disable-openapi-validation", "--description", description]
        words += _duration(timeout)
        words += ["--labels", ",".join(f"{key}={value}" for key, value in labels.items())] if labels else []
        forced = [*words, "--force-conflicts"]
        try:
            await self.call(at, forced if force_conflicts else words, release, values=values, timeout=timeout + _MARGIN)
        except Conflict as conflict:
            if not helm_errors.only_own(conflict, names.FIELD_MANAGER):
                raise
            await self.call(at, forced, release, values=values, timeout=timeout + _MARGIN)

    async def rendered(self, at: Place, release: str, chart: Path, values: Mapping[str, Any]) -> str:
        """The manifests, as YAML, that an upgrade would apply; the data of Secrets is left out.

        From a dry run: the chart is rendered with what the cluster has, and nothing is changed.
        """
        words = [*_install(release, chart), "--dry-run=server", "--hide-secret", "-o", "json"]
        done = await self.call(at, words, release, values=values)
        return str(json.loads(done.stdout)["manifest"])

    async def manifest(self, at: Place, release: str) -> str | None:
        """The manifests, as YAML, that the newest revision was made of, Secrets' data and all; None without one."""
        try:
            return (await self.call(at, ["get", "manifest", release], release)).stdout
        except NoRelease:
            return None

    async def template(self, at: Place, release: str, chart: Path, values: Mapping[str, Any]) -> str:
        """The manifests, as YAML, rendered without asking the cluster. Raises Refused(field=chart)."""
        done = await self.call(at, ["template", release, str(chart), "--values", "-"], release, values=values)
        return done.stdout

    async def rollback(
        self, at: Place, release: str, revision: int, *, timeout: float = 300.0, force_conflicts: bool = False
    ) -> None:
        """Go to an explicit revision; it does not wait for pods. Clears a pending operation."""
        words = ["rollback", release, str(revision), *_duration(timeout)]
        words += ["--force-conflicts"] if force_conflicts else []
        await self.call(at, words, release, timeout=timeout + _MARGIN)

    async def uninstall(self, at: Place, release: str, *, timeout: float = 300.0) -> None:
        """Remove the release, its objects and its history; nothing to do where it is not there."""
        words = ["uninstall", release, "--ignore-not-found", *_duration(timeout)]
        await self.call(at, words, release, timeout=timeout + _MARGIN)

    async def test(self, at: Place, release: str, *, timeout: float) -> str:
        """Run the chart's tests, within `timeout` seconds; what Helm reported. Raises Failed when one does not pass."""
        done = await self.attempt(at, ["test", release, *_duration(timeout)], timeout=timeout + _MARGIN)
        if done.code == 0:
            return done.stdout
        if "Phase:          Failed" in done.stdout:
            tests = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("TEST SUITE:")]
            raise Failed(
                f"The chart's test {', '.join(tests)} of {release} did not pass.",
                field="chart test",
                next_step=f"Look at it: `kubectl --context {at.context} describe pod {tests[-1]}`.",
            )
        raise helm_errors.from_stderr(done.stderr, "test", at.context, release)

    async def history(self, at: Place, release: str) -> tuple[Revision, ...]:
        """All kept revisions, oldest first; empty where there is no such release."""
        try:
            done = await self.call(at, ["history", release, "-o", "json"], release)
        except NoRelease:
            return ()
        return tuple(
            Revision(int(entry["revision"]), entry["status"], entry["description"], entry["updated"])
            for entry in json.loads(done.stdout)
        )

    async def list(self, at: Place, *, selector: str = "") -> tuple[Listed, ...]:
        """The namespace's releases, of all statuses; `selector` is about their labels."""
        words = ["list", "-o", "json", *(["--selector", selector] if selector else [])]
        done = await self.call(at, words, "")
        return tuple(
            Listed(entry["name"], int(entry["revision"]), entry["status"], entry["chart"], entry["updated"])
            for entry in json.loads(done.stdout)
        )

    async def status(self, at: Place, release: str) -> Revision | None:
        """The newest revision; None where there is no such release."""
        try:
            done = await self.call(at, ["status", release, "-o", "json"], release)
        except NoRelease:
            return None
        data = json.loads(done.stdout)
        info = data["info"]
        return Revision(int(data["version"]), info["status"], info.get("description", ""), info["last_deployed"])

    async def get_values(self, at: Place, release: str, revision: int) -> Mapping[str, Any] | None:
        """The values a revision was given (not the chart's own); None when Helm no longer keeps that revision."""
        words = ["get", "values", release, "--revision", str(revision), "-o", "json"]
        try:
            done = await self.call(at, words, release)
        except NoRelease:
            return None
        values = json.loads(done.stdout)
        return values if isinstance(values, dict) else {}


def _install(release: str, chart: Path) -> tuple[str, ...]:
    return ("upgrade", "--install", release, str(chart), "--values", "-", "--server-side=true", "--hide-notes")


def _duration(seconds: float) -> tuple[str, str]:
    return "--timeout", f"{max(1, round(seconds))}s"
