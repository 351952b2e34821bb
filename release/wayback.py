"""Whether the way back from a version was tried in staging, how long it took, and where there is none, why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from release import migrations
from release.appfile import AppFile
from release.model import Artifact, Record, RegionState

Result = Literal["rehearsed", "failed", "none", "off", "untried"]


@dataclass(frozen=True, slots=True)
class WayBack:
    """A rehearsal's result, kept in the verification record.

    `rehearsed` to `version` and `digest` in `back_s` seconds and forward again in `forward_s`; `failed` for
    `reason`; `none` because of `reason` (a first version, an irreversible migration); `off` by configuration;
    `untried` because of `reason`, though there is `version` to go back to.
    """

    result: Result
    version: str = ""
    digest: str = ""
    back_s: float = 0.0
    forward_s: float = 0.0
    budget_s: float = 0.0
    reason: str = ""

    @property
    def in_time(self) -> bool:
        """Back and forward again, together, within the budget."""
        return self.back_s + self.forward_s <= self.budget_s

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, durations to a tenth of a second."""
        return asdict(self) | {"back_s": round(self.back_s, 1), "forward_s": round(self.forward_s, 1)}

    def __str__(self) -> str:
        """What a person reads after `way back: `."""
        match self.result:
            case "rehearsed":
                late = "" if self.in_time else f", together longer than the budget of {self.budget_s:g} s"
                return f"back to v{self.version} in {self.back_s:.1f} s, forward again in {self.forward_s:.1f} s{late}"
            case "failed":
                return f"failed, to v{self.version}: {self.reason}"
            case "none":
                return f"none: {self.reason}"
            case "off":
                return "not rehearsed: it is turned off"
            case "untried":
                return f"not rehearsed, to v{self.version}: {self.reason}"


FIRST = WayBack("none", reason="first version")


def from_dict(data: object) -> WayBack | None:
    """What `as_dict` gave; None for anything else, as in the record of a version staged before rehearsals."""
    if not isinstance(data, Mapping) or data.get("result") not in get_args(Result):
        return None
    try:
        return WayBack(
            data["result"],
            str(data.get("version", "")),
            str(data.get("digest", "")),
            float(data.get("back_s", 0)),
            float(data.get("forward_s", 0)),
            float(data.get("budget_s", 0)),
            str(data.get("reason", "")),
        )
    except (TypeError, ValueError):
        return None


def live_records(states: Iterable[RegionState], new: Artifact) -> tuple[Record, ...]:
    """What a release of `new` would have to go back to, region by region: the live version, or the one before it
    where `new` is live already."""
    found = []
    for state in states:
        candidates = (state.route.live, state.route.previous) if state.route else ()
        found.append(next((one for one in candidates if one and one.artifact.digest != new.digest), None))
    return tuple(record for record in found if record is not None)


def target(production: Iterable[RegionState], new: Artifact, app: AppFile) -> Artifact | WayBack:
    """The artifact to rehearse going back to; a WayBack `none` where there is nothing to go back to.

    Where production's regions differ, the first one's.
    """
    records = live_records(production, new)
    if not records:
        return FIRST
    older = records[0].artifact
    crossed = migrations.crossed(app, new.version, older.version)
    if crossed:
        names = ", ".join(one.name for one in crossed)
        return WayBack("none", older.version, older.digest, reason=f"irreversible migration {names}")
    return older


def of_hotfix(before: Iterable[RegionState], fix: Artifact, app: AppFile) -> WayBack:
    """What a hotfix's record says: where it leads, which nobody has tried, or why there is none.

    `before` are production's regions as they were before the hotfix.
    """
    found = target(before, fix, app)
    if isinstance(found, WayBack):
        return found
    return WayBack("untried", found.version, found.digest, reason="a hotfix goes straight to production")
