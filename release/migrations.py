"""No release goes back over a migration declared irreversible: what is changed then stays, and a person decides."""

from __future__ import annotations

from collections.abc import Iterable

from release.appfile import AppFile, Migration
from release.errors import Refused
from release.model import Artifact, RegionState
from release.recovery import Back, Stuck, Way, shift_back, ways
from release.steps import Shift
from release.strategy import Want
from release.versions import parse_version


def crossed(app: AppFile, newer: str, older: str) -> tuple[Migration, ...]:
    """The irreversible migrations between two versions (X.Y.Z), of which `app` belongs to the newer one.

    A version of another form has no place in that order: then every irreversible migration counts.
    """
    try:
        return app.irreversible_between(parse_version(older), parse_version(newer))
    except Refused:
        return tuple(one for one in app.migrations if one.irreversible)


def freeze(ways: Iterable[Way], bad: Artifact, app: AppFile) -> tuple[Way, ...]:
    """The ways back from `bad`, whose file `app` is; one over an irreversible migration is stuck, nothing removed."""
    return tuple(_frozen(way, bad, app) for way in ways)


def users_back(state: RegionState, bad: Want, app: AppFile) -> Shift | None:
    """The one write that takes a region's users away from `bad`, whose file `app` is; None where there is none."""
    for way in freeze(ways((state,), bad), bad.artifact, app):
        if isinstance(way, Back):
            return shift_back(state, way, bad)
    return None


def _frozen(way: Way, bad: Artifact, app: AppFile) -> Way:
    if not isinstance(way, Back):
        return way
    good = way.to.artifact.version
    found = crossed(app, bad.version, good)
    if not found:
        return way
    return Stuck(
        way.region, way.to.slot, removable=False, why=irreversible(found, bad.version, good), decide=decide(good)
    )


def irreversible(found: Iterable[Migration], newer: str, older: str) -> str:
    """Why nothing goes back from `newer` to `older`."""
    names = ", ".join(f"{one.name} (v{one.version})" for one in found)
    return f"going back from v{newer} to v{older} would cross the irreversible migration {names}: nothing was changed."


def decide(older: str) -> str:
    """What a person has to decide, as a next step."""
    return (
        "Decide: mend it forward (`tidegate hotfix BRANCH`, from a branch that holds what is live), or restore the "
        f"data from the backup made before the release and then deploy v{older} with `tidegate release v{older}`."
    )
