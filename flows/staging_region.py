"""One region of staging: as any other, and then the rehearsal of its way back, before it counts as released."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task

from config import load
from flows import common
from flows.region import CHECKS, bring_live
from flows.rehearsal import way_back
from release import plan
from release.environment import Environment
from release.model import Artifact, RegionState
from release.outcome import RegionResult
from release.wayback import WayBack


class Staged:
    """Stages region by region, and keeps how the way back went in the first one; `production` is where it leads."""

    def __init__(self, environment: Environment, production: list[RegionState]) -> None:
        self._first, self._production = next(iter(environment.regions)), production
        self.way_back: WayBack | None = None

    async def region(
        self, region: str, environment: str, artifact: Artifact, checkout: Path, strategy: str
    ) -> RegionResult:
        """One region; see `flows.waves.InRegion`."""
        back = self._production if region == self._first else None
        call = _in_region(region, environment, artifact, checkout, strategy, back)
        result, found = await common.result_of(call)
        self.way_back = found or self.way_back
        return result

    @property
    def warnings(self) -> tuple[str, ...]:
        """What keeps production from taking the version, as sentences."""
        found = self.way_back
        if found is None or (found.result != "failed" and found.in_time):
            return ()
        return (f"Production will refuse it: way back {found}.",)


@task(name="region", task_run_name="{region}")
async def _in_region(
    region: str, environment: str, artifact: Artifact, checkout: Path, strategy: str, back: list[RegionState] | None
) -> tuple[RegionResult, WayBack | None]:
    return await common.apart(stage_region(environment, region, artifact, checkout, strategy, back))


@flow(name="region", flow_run_name="{region}: v{artifact.version}", validate_parameters=False)
async def stage_region(
    environment: str, region: str, artifact: Artifact, checkout: Path, strategy: str, back: list[RegionState] | None
) -> tuple[RegionResult, WayBack | None]:
    """Bring a version live in a region; then its way back is rehearsed, where production's state is given."""
    where, kept = load.environment(environment), plan.strategy(strategy)
    found: list[WayBack] = []

    async def rehearse() -> None:
        if back is not None:
            want = common.wanted(where, artifact, kept)
            found.append(await way_back(where, where.regions[region], want, checkout, back))

    result = await bring_live(where, region, artifact, checkout, kept, CHECKS[environment], rehearse)
    return result, found[0] if found else None
