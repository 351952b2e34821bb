"""Going back on a person's word: from what, to what, and whether that may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from release import migrations, recovery
from release.appfile import AppFile
from release.errors import Halted, Refused
from release.labels import short_digest
from release.model import SLOTS, Artifact, RegionState, SlotState
from release.strategy import Want, other
from release.versions import Version, parse_version


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a region is to leave: an artifact with its values' hash. `digest` may be cut to 40 digits, where a
    release died before its Deployment was written."""

    artifact: Artifact
    config: str


@dataclass(frozen=True, slots=True)
class Move:
    """One region's way: from what is live, or was on its way in, to an earlier version."""

    region: str
    bad: Artifact
    good: Artifact


def reason(text: str) -> str:
    """Why; a rollback without a reason teaches nobody anything. Raises Refused where it is blank."""
    if not text.strip():
        raise Refused("a rollback needs a reason.", field="reason", next_step='Give it: --reason "checkout fails".')
    return text.strip()


def leaving(state: RegionState) -> Leaving | None:
    """The version that a dead release left half way in, else the live one; None where nothing is live."""
    route = state.route
    live = route.live if route else None
    for slot in SLOTS:
        here = state.slot(slot)
        reached = slot == state.live_slot or (route is not None and route.weight(slot) > 0)
        if reached and here.release is not None and here.release.version:
            found = _asked(here)
            if live is None or not _same(found, Leaving(live.artifact, live.config)):
                return found if live is not None else None
    return None if live is None else Leaving(live.artifact, live.config)


def _asked(here: SlotState) -> Leaving:
    release = here.release
    assert release is not None
    known = here.workload.digest if here.workload else None
    whole = known if known is not None and short_digest(known) == release.digest else f"sha256:{release.digest}"
    return Leaving(Artifact(release.version, whole, release.commit), release.config)


def _same(one: Leaving, another: Leaving) -> bool:
    return (one.artifact.version, short_digest(one.artifact.digest), one.config) == (
        another.artifact.version,
        short_digest(another.artifact.digest),
        another.config,
    )


def bad(states: Sequence[RegionState]) -> Leaving:
    """The one version that is to be taken back: the one half way in, else the live one. Raises Refused otherwise."""
    found = {state.region: leave for state in states if (leave := leaving(state)) is not None}
    if not found:
        raise Refused("nothing is live there.", field="region", next_step="Release a version: `tidegate release TAG`.")
    half_way = {leave for state in states if (leave := found.get(state.region)) and not _is_live(state, leave)}
    versions = half_way or set(found.values())
    if len(versions) > 1:
        listed = ", ".join(f"{region} v{leave.artifact.version}" for region, leave in found.items())
        raise Refused(
            f"the regions are on different versions: {listed}.",
            field="region",
            next_step="Say which to take back with --region, or where to go with --to.",
        )
    return next(iter(versions))


def _is_live(state: RegionState, leave: Leaving) -> bool:
    live = state.route.live if state.route else None
    return live is not None and _same(Leaving(live.artifact, live.config), leave)


def done_by(states: Sequence[RegionState], run: str) -> bool:
    """Whether that run brought every region where it is, and left nothing beside it that it still had to remove."""
    return all(_done(state, run) for state in states)


def _done(state: RegionState, run: str) -> bool:
    route, found = state.route, leaving(state)
    if route is None or route.live is None or found is None or not _is_live(state, found):
        return False
    kept = route.retire is not None or state.slot(other(state.live_slot)).release is None
    return route.live.run == run and kept


def moves(states: Sequence[RegionState], want: Want) -> tuple[Move, ...]:
    """Each changed region's way to its last good version. Raises Refused where none is recorded."""
    found = []
    for state in states:
        if not recovery.changed(state, want):
            continue
        good = recovery.last_good(state, want)
        if good is None:
            raise Refused(
                f"no earlier version than v{want.artifact.version} is recorded there.",
                region=state.region,
                field="to",
                next_step="Name the version to go to: `tidegate rollback --to vX.Y.Z`.",
            )
        found.append(Move(state.region, want.artifact, good.artifact))
    return tuple(found)


def moves_to(states: Sequence[RegionState], target: Artifact) -> tuple[Move, ...]:
    """Each region's way to a named version. Raises Refused where that is later than what is there."""
    found = []
    for state in states:
        leave = leaving(state)
        if leave is None:
            raise Refused("nothing is live there.", region=state.region, field="region")
        if _newer(target.version, leave.artifact.version):
            raise Refused(
                f"v{target.version} is later than what is live (v{leave.artifact.version}): that is no way back.",
                region=state.region,
                field="to",
                next_step=f"Release it: `tidegate release v{target.version}`.",
            )
        found.append(Move(state.region, leave.artifact, target))
    return tuple(found)


def _newer(one: str, another: str) -> bool:
    try:
        return parse_version(one) > parse_version(another)
    except Refused:
        return False


def require_possible(moves: Iterable[Move], files: Mapping[str, AppFile]) -> None:
    """Raises Halted where a way crosses an irreversible migration. `files` are the applications' by commit left."""
    frozen = [(move, migrations.crossed(files[move.bad.commit], move.bad.version, move.good.version)) for move in moves]
    stuck = [(move, found) for move, found in frozen if found]
    if stuck:
        move, found = stuck[0]
        raise Halted(
            migrations.irreversible(found, move.bad.version, move.good.version),
            region=", ".join(move.region for move, _ in stuck),
            next_step=migrations.decide(move.good.version),
        )


def recorded(states: Iterable[RegionState], version: Version) -> Artifact | None:
    """The artifact of that version that a region recorded as live or live before; None where none did."""
    routes = [state.route for state in states if state.route]
    known = [record.artifact for route in routes for record in (route.live, route.previous) if record]
    return next((one for one in known if one.version == str(version)), None)


def artifact(
    version: Version, digest: str | None, labels: Mapping[str, str], record: Mapping[str, Any] | None
) -> Artifact:
    """The artifact of a release tag: what the registry's tag names, as its verification record says.

    `digest` and `labels` are the tagged image's (None: no such tag), `record` the one of the image's commit. Raises
    Refused where there is no image, or where tag, labels and record do not agree.
    """
    if digest is None:
        raise Refused(
            f"the registry has no image {version.tag}: it was never released.",
            field="to",
            next_step="Name a version that was live: `tidegate status` shows what is.",
        )
    commit = labels.get("org.opencontainers.image.revision", "")
    said = labels.get("org.opencontainers.image.version", "")
    differs = record is not None and (record.get("digest"), record.get("version")) != (digest, str(version))
    if not commit or said != str(version) or differs:
        raise Refused(
            f"the image {version.tag} is not the one that was verified: it says version {said or 'none'}, commit "
            f"{commit[:12] or 'none'}.",
            field="to",
            next_step="Look at it in the registry; nothing is deployed that nobody verified.",
        )
    return Artifact(str(version), digest, commit)
