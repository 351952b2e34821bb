"""What staging says of a digest, durably, in the registry: the only thing that production trusts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release.errors import Refused
from release.model import Artifact
from release.versions import Version
from release.wayback import WayBack


def tag_of(commit: str) -> str:
    """The registry tag under which the record of a commit is kept."""
    return f"verified-{commit}"


def record(artifact: Artifact, *, at: str, run: str, way_back: WayBack | None = None) -> dict[str, Any]:
    """The record's payload; `at` is ISO 8601 UTC, `run` the staging run's id."""
    return {
        "version": artifact.version,
        "digest": artifact.digest,
        "commit": artifact.commit,
        "environment": "staging",
        "verified_at": at,
        "run": run,
        "way_back": None if way_back is None else way_back.as_dict(),
    }


def artifact_of(found: Mapping[str, Any] | None, version: Version, commit: str) -> Artifact:
    """The artifact that staging verified for this version and commit. Raises Refused where it did not."""
    stage = f"Stage it first: `tidegate stage {version.tag}`."
    if found is None:
        raise Refused(f"staging never verified {version.tag} (commit {commit[:12]}).", field="tag", next_step=stage)
    if found.get("commit") != commit or found.get("version") != str(version):
        raise Refused(
            f"staging verified commit {str(found.get('commit'))[:12]} as {found.get('version')}, "
            f"not {version.tag} at {commit[:12]}.",
            field="tag",
            next_step=stage,
        )
    return Artifact(str(version), str(found["digest"]), commit)
