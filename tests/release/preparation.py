"""Two versions, and regions that run one of them, for the tests of a release's preparation."""

from __future__ import annotations

from typing import Any

from release import appfile
from release.appfile import AppFile
from release.environment import Rolling
from release.labels import short_digest
from release.model import Artifact, HelmRelease, Record, RegionState, Route, SlotState
from release.strategy import Want

OLD = Artifact("1.4.0", "sha256:" + "1" * 64, "a" * 40)
NEW = Artifact("1.5.0", "sha256:" + "2" * 64, "b" * 40)
WANT = Want(NEW, "config", Rolling("25%", "25%", 1200, 60, 5, 1))


def record(artifact: Artifact) -> Record:
    return Record(artifact, "blue", 1, "config", "2026-11-23T09:00:00Z", "run")


def release(artifact: Artifact) -> HelmRelease:
    digest = short_digest(artifact.digest)
    return HelmRelease("shop-blue", 1, "deployed", artifact.version, digest, artifact.commit, "config")


def region(live: Artifact | None, previous: Artifact | None = None, deployed: Artifact | None = None) -> RegionState:
    """A region whose route records `live`, none where None; `deployed` is what Helm says runs in blue."""
    runs = deployed or live
    blue = SlotState("blue", release=None if runs is None else release(runs))
    route = Route(100, 0, live and record(live), previous and record(previous)) if live else None
    return RegionState("us-east-1", blue, SlotState("green"), route)


def app(*migrations: dict[str, Any], declared: bool = True) -> AppFile:
    said = {"migrations": list(migrations)} if declared else {}
    return appfile.parse({"commands": {"load": "true"}, **said})
