"""A release that has ended, as the table of finished releases keeps it, made from what its run left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from release.outcome import EXIT_CODES

Result = Literal["success", "failure"]
# Pipeline -> where it deploys; None where a parameter of the run says it. Other flows are no deployments.
PIPELINES: Mapping[str, str | None] = {
    "development": "development",
    "staging": "staging",
    "production": "production",
    "hotfix": "production",
    "rollback": "production",
    "guard": None,
}
# A run that ended without saying how: killed, or an error of our own.
CRASHED = "crashed"
OUTCOMES = (*EXIT_CODES, CRASHED, "cancelled")
# What the server lets go on after its process is gone (deployments/many/automations.yaml), and how soon.
GO_ON = ("staging", "production", "hotfix", "rollback", "guard")
_GOES_ON_WITHIN = timedelta(minutes=1)
# The subflows that bring a version to one region; in the region's own worker, by what `do` says.
_REGION_FLOWS = ("region", "emergency")
_REGIONAL, _FORWARD = "regional", ("forward", "emergency")
# The subflow that takes regions back, and the names of the states of one that went well.
_BACK = "recover"
_WELL = ("Completed", "Released")
STRATEGIES = ("rolling", "blue-green", "canary", "rollback")
# What a label is where the value is none that is known: labels must stay few, whatever a run was called with.
OTHER = "other"
_FAILED = frozenset({"failed", "recovered", "halted", "unavailable", CRASHED})


@dataclass(frozen=True, slots=True)
class Run:
    """A flow run that ended, as Prefect keeps it. `parameters` are those it was called with, `state` its name.

    `attempt` counts from 1: a run that is tried again ends again.
    """

    id: str
    attempt: int
    pipeline: str
    state: str
    asked: datetime
    began: datetime | None
    ended: datetime
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FinishedRegion:
    """What a release came to in a region that it changed or meant to change."""

    region: str
    result: Result
    outcome: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished release. `seconds` is its time under the lock, `recovery` that of its way back (0 without one).

    `committed` are the times of the commits it brought to users. `prevented` says that a bad version was taken back
    before all users of any region had it. Of `regions` only those are named that it changed or meant to change.
    """

    run: str
    attempt: int
    pipeline: str
    environment: str
    strategy: str
    outcome: str
    asked: datetime
    ended: datetime
    version: str = ""
    digest: str = ""
    commit: str = ""
    actor: str = ""
    reason: str = ""
    seconds: float = 0.0
    recovery: float = 0.0
    prevented: bool = False
    committed: tuple[datetime, ...] = ()
    regions: tuple[FinishedRegion, ...] = ()


def finished(
    run: Run, outcome: Mapping[str, Any] | None, children: Sequence[Run], known: Mapping[str, Collection[str]]
) -> Finished | None:
    """The release that a run was; None for a flow that deploys nothing.

    `outcome` is what it told at its end (None: it was killed), `children` its regions' runs, read only where it did not
    say how they ended; `known` are the regions of each environment.
    """
    if run.pipeline not in PIPELINES:
        return None
    told = outcome or {"word": run.state.lower() if run.state.lower() in OUTCOMES else CRASHED}
    place = PIPELINES[run.pipeline] or str(run.parameters.get("environment", ""))
    regions = _told(told) if says_where(outcome) else _seen(children)
    named = tuple(FinishedRegion(label(one.region, known.get(place, ())), one.result, one.outcome) for one in regions)
    return Finished(
        run=run.id,
        attempt=run.attempt,
        pipeline=run.pipeline,
        environment=label(place, known),
        strategy=label(str(told.get("strategy") or strategy_of(run.pipeline, run.parameters, children)), STRATEGIES),
        outcome=label(str(told.get("word")), OUTCOMES),
        asked=run.asked,
        ended=run.ended,
        version=_text(told.get("version")),
        digest=_text(told.get("digest")),
        commit=_text(told.get("commit")),
        actor=_text(run.parameters.get("actor")),
        reason=_text(told.get("reason")),
        seconds=_number(told.get("locked")),
        recovery=_number(told.get("recovery")),
        prevented=_prevented(told),
        committed=tuple(moment for moment in map(_moment, told.get("committed") or ()) if moment),
        regions=tuple({one.region: one for one in named}.values()),
    )


def may_go_on(run: Run, now: datetime) -> bool:
    """Whether a run that crashed has just done so, and may yet be begun again by itself: then it has not ended."""
    return run.pipeline in GO_ON and run.state.lower() == CRASHED and now - run.ended < _GOES_ON_WITHIN


def says_where(outcome: Mapping[str, Any] | None) -> bool:
    """Whether a run told how its regions ended. One that was killed did not, and none that broke off by an error of
    our own: it is halted, but in no region."""
    if outcome is None:
        return False
    words = [one.get("outcome") for one in outcome.get("regions") or ()]
    return outcome.get("word") != "halted" or "halted" in words


def label(value: str, known: Collection[str]) -> str:
    """The value where it is known, else `other`."""
    return value if value in known else OTHER


def _told(outcome: Mapping[str, Any]) -> list[FinishedRegion]:
    found = []
    for one in outcome.get("regions") or ():
        word = str(one.get("outcome", ""))
        if word in _FAILED:
            found.append(FinishedRegion(str(one.get("region", "")), "failure", word))
        elif word == "released":
            found.append(FinishedRegion(str(one.get("region", "")), "success", word))
    return found


def brings(flow: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a subflow with these parameters brings a version to one region."""
    return flow in _REGION_FLOWS or (flow == _REGIONAL and parameters.get("do") in _FORWARD)


def strategy_of(pipeline: str, given: Mapping[str, Any], children: Sequence[Run]) -> str:
    """By what a run releases, which has not told it: a published release's strategy stands in its GitHub release, but
    its regions' runs know what was chosen. `given` are the run's own parameters."""
    if pipeline == "rollback":
        return "rollback"
    brought = (one.parameters for one in children if brings(one.pipeline, one.parameters))
    return next(
        (str(one["strategy"]) for one in brought if one.get("strategy")), str(given.get("strategy") or "rolling")
    )


def _seen(children: Sequence[Run]) -> list[FinishedRegion]:
    """A run that was killed told nothing; its regions' own runs did. One that did not end well counts as failed, and
    so does one that was being taken back. The newest of a region's runs stands."""
    found = {}
    for one in sorted(children, key=lambda one: one.asked):
        if brings(one.pipeline, one.parameters):
            region = str(one.parameters.get("region", ""))
            good = one.state in _WELL
            found[region] = FinishedRegion(region, *(("success", "released") if good else ("failure", CRASHED)))
    for one in children:
        if one.pipeline == _BACK:
            named = [str(region) for region in one.parameters.get("regions") or ()]
            # A rollback to the last good version begins there: no run brought anything to a region.
            back = [region for region in named if region in found] or ([] if found else named)
            found |= {region: FinishedRegion(region, "failure", CRASHED) for region in back}
    return list(found.values())


def _prevented(outcome: Mapping[str, Any]) -> bool:
    """Whether it was taken back, and no region's users were all on the bad version when that began."""
    taken_back = [one for one in outcome.get("regions") or () if one.get("outcome") == "recovered"]
    if outcome.get("word") != "recovered" or outcome.get("pipeline") == "rollback" or not taken_back:
        return False
    return all(_number(one.get("share", 100)) < 100 for one in taken_back)


def _text(value: Any) -> str:
    """As a database takes it: a NUL or half a character must not keep all that comes after it from being counted."""
    return "" if value is None else str(value).replace("\0", "").encode(errors="replace").decode()


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
