"""What Tidegate writes on a Helm revision as labels, and reads back from it as "what is deployed here".

Helm keeps `name`, `owner`, `status`, `version` (its revision), `createdAt` and `modifiedAt` for itself: hence the
prefix.
"""

from __future__ import annotations

from collections.abc import Mapping

from release.model import Artifact, HelmRelease

_PREFIX = "tidegate.dev/"
APPLICATION = _PREFIX + "app"
VERSION = _PREFIX + "version"
DIGEST = _PREFIX + "digest"
COMMIT = _PREFIX + "commit"
CONFIG = _PREFIX + "config"
# A label's value ends at 63 characters, so a digest does not fit.
_DIGITS = 40


def short_digest(digest: str) -> str:
    """The part of `sha256:<64 hex>` that a label holds: its first 40 hex digits."""
    return digest.removeprefix("sha256:")[:_DIGITS]


def release_labels(app: str, artifact: Artifact, config: str) -> dict[str, str]:
    """The labels of a slot's Helm revision. `config` is a hash of the chart values, at most 63 characters."""
    return {
        APPLICATION: app,
        VERSION: artifact.version,
        DIGEST: short_digest(artifact.digest),
        COMMIT: artifact.commit,
        CONFIG: config,
    }


def release_of(labels: Mapping[str, str]) -> HelmRelease:
    """A Helm revision from all the labels of its record: Helm's own and Tidegate's."""
    return HelmRelease(
        name=labels["name"],
        revision=int(labels["version"]),
        status=labels.get("status", "unknown"),
        version=labels.get(VERSION, ""),
        digest=labels.get(DIGEST, ""),
        commit=labels.get(COMMIT, ""),
        config=labels.get(CONFIG, ""),
    )
