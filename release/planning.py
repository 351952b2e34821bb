"""What a production release would do, as plain data: nothing here looks, waits or changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from release import plan, recovery, strategy, values
from release.checks_made import Check
from release.environment import Environment, Strategy
from release.gates import Gate, Standing
from release.model import Artifact, RegionState, SlotState
from release.strategy import Want
from release.versions import shown

NOTHING = ("nothing: it is live already",)
# Stands for the digest of an image that is still to be built.
_UNBUILT = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class Change:
    """What Helm would change in a region, as lines for people; both empty where nothing would."""

    values: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """One region: what is live there, what would be done, where a bad version would go back to.

    `seconds` is how long it is expected to take, None where no earlier release tells.
    """

    region: str
    live: str
    steps: tuple[str, ...]
    back_to: str
    change: Change = Change()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A production release that nobody has started, as it would be asked for `at` that time.

    `refusals` are why it would be refused, `next_steps` what to do about each. `seconds` is the expected duration
    once the gates are open, the median of `based_on` releases; None where no earlier release tells.
    """

    tag: str
    environment: str
    at: str
    strategy: str
    digest: str
    commit: str
    waves: tuple[tuple[str, ...], ...]
    regions: tuple[RegionPlan, ...]
    gates: tuple[Gate, ...]
    checks: tuple[Check, ...] = ()
    refusals: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    seconds: float | None = None
    based_on: int = 0
    nothing_to_do: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def unbuilt(version: str, commit: str) -> Artifact:
    """A version before its image is built, for what can be checked without one."""
    return Artifact(version, _UNBUILT, commit)


def want(environment: Environment, artifact: Artifact, chosen: Strategy, app: str) -> Want:
    """What every region of the environment is to run; the values' hash is the same for all of them."""
    region = next(iter(environment.regions.values()))
    rendered = values.of_slot(environment, region, app, "blue")
    weights = plan.weights(environment, chosen)
    return Want(artifact, values.fingerprint(rendered), environment.rolling, weights, environment.replicas)


def steps(state: RegionState, wanted: Want, app: str, window: float) -> tuple[str, ...]:
    """What would be done in a region, in order, as sentences. `window` is in seconds."""
    if strategy.settled(state, wanted):
        return NOTHING
    slot = state.live_slot
    route = state.route
    if not wanted.weights or route is None or route.live is None:
        how = "is upgraded in place" if state.slot(slot).release else "is installed"
        pods = f"{wanted.replicas} pod{'' if wanted.replicas == 1 else 's'}"
        return (f"{app}-{slot} {how}, {pods}", "checked where users reach it", "recorded as live")
    new = strategy.other(slot)
    weights = " -> ".join(f"{weight} %" for weight in wanted.weights)
    judged = ", a verdict on live traffic before each rise" if len(wanted.weights) > 1 else ""
    return (
        f"{app}-{new} is filled beside {app}-{slot}",
        f"checked at the preview address of {new}",
        f"users: {weights}{judged}",
        "checked where users reach it, and recorded as live",
        f"{app}-{slot} is kept for {window / 60:.0f} min",
    )


def back_to(state: RegionState, wanted: Want, images: frozenset[str]) -> str:
    """Where a bad version would go back to, and how. `images` are the digests that the registry has."""
    good = recovery.last_good(state, wanted)
    if good is None:
        return "nothing: it is the first version here"
    at = f"{shown(good.artifact.version)} ({good.artifact.digest[:19]})"
    if wanted.weights and _stands(state.slot(good.slot), wanted):
        return f"{at}, by one write of the weights inside the window"
    if good.artifact.digest not in images:
        return f"{at}, but its image is no longer in the registry: it could NOT go back"
    return f"{at}, by an upgrade in place"


def _stands(here: SlotState, wanted: Want) -> bool:
    return here.workload is not None and not strategy.asked(here, wanted)


def refusals(standing: Standing, checks: Sequence[Check]) -> tuple[tuple[str, str], ...]:
    """A gate that is shut, and the failing checks, as (what is wrong, what to do)."""
    shut = [(f"{one.name}: {one.detail}", standing.next_step) for one in standing.gates if one.ok is False]
    return (*shut, *((f"{one.name}: {one.detail}", one.next_step) for one in checks if not one.ok))


def expected(waves: Sequence[Sequence[str]], regions: Mapping[str, float], around: float) -> float | None:
    """Seconds of a whole release: each wave lasts as long as its slowest region, and `around` comes before and after.

    `regions` are the seconds known of each region; one that is not known takes as long as the slowest. None where
    none is known.
    """
    if not regions:
        return None
    slowest = max(regions.values())
    return around + sum(max(regions.get(name, slowest) for name in wave) for wave in waves)


def median(found: Sequence[float]) -> float:
    """The middle one; 0 of none."""
    ordered = sorted(found)
    middle = len(ordered) // 2
    if not ordered:
        return 0.0
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def region_plan(
    state: RegionState, wanted: Want, app: str, window: float, images: frozenset[str], change: Change | None = None
) -> RegionPlan:
    """One region's part, without the time it takes."""
    live = state.route.live if state.route else None
    return RegionPlan(
        state.region,
        live.artifact.version if live else "",
        steps(state, wanted, app, window),
        back_to(state, wanted, images),
        change or Change(),
    )


def markdown(found: Plan) -> str:
    """The plan for Prefect's page; the Helm diff is `tidegate plan`'s."""
    lines = [
        f"# {found.tag} to {found.environment}, {found.strategy}",
        "",
        f"{found.digest[:19]}, commit {found.commit[:12]}",
        "",
        "Waves: " + ", then ".join(" + ".join(wave) for wave in found.waves),
        "",
    ]
    lines += [f"- {gate.name}: {gate.detail}" for gate in found.gates]
    for one in found.regions:
        lines += ["", f"## {one.region}: {shown(one.live) if one.live else 'nothing'} is live", ""]
        lines += [f"1. {step}" for step in one.steps]
        lines += ["", f"Goes back to: {one.back_to}"]
    return "\n".join(lines)
