"""One region of a release, and its way back: subflows, so that each is seen on its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from prefect import flow, task

from config import load
from flows.common import apart, lockstep, result_of, wanted
from flows.far import Errand, send
from flows.lockstep import Lockstep
from flows.roll import Job, go_back, roll
from flows.users_back import users_back
from release import messages, migrations, plan
from release.appfile import AppFile
from release.environment import Environment, Strategy
from release.errors import TidegateError, Unavailable
from release.model import Artifact, RegionState
from release.outcome import RegionResult, of_error
from release.recovery import Back, Way, ways
from release.strategy import Want
from release.versions import shown
from tasks import board, context, deploy, github_deployments, image, stop
from tasks.github_ends import Begun
from tasks.say import say

# What is run against a version where it was deployed, by environment.
CHECKS = {
    "development": ("smoke",),
    "staging": ("smoke", "performance", "acceptance", "load"),
    "production": ("smoke-production",),
}


@flow(name="region", flow_run_name="{region}: {version}")
async def release_region(
    environment: str, region: str, version: str, digest: str, commit: str, checkout: str, strategy: str = "rolling"
) -> RegionResult:
    """Bring a version live in one region, and tell GitHub. Raises Failed with the real reason."""
    where, artifact = load.environment(environment), Artifact(version, digest, commit)
    return await bring_live(where, region, artifact, Path(checkout), plan.strategy(strategy), CHECKS[environment])


async def bring_live(
    where: Environment,
    region: str,
    artifact: Artifact,
    source: Path,
    strategy: Strategy,
    checks: tuple[str, ...],
    then: Callable[[], Awaitable[None]] | None = None,
) -> RegionResult:
    """As `release_region`. `then` is what must still be seen once the version is live, before it counts as released."""
    settings, place, version = load.settings(), where.regions[region], artifact.version
    payload = {"version": version, "digest": artifact.digest, "run": context.run_id()}
    name = deployment_name(where, region)
    begun = await github_deployments.start(artifact.commit, name, shown(version), payload)
    began = time.monotonic()
    description = f"{shown(version)} by {settings.application.name} run {context.run_id()[:8]}"
    want = wanted(where, artifact, strategy)
    job = Job(where, place, want, context.chart(source), description, source, checks, together=lockstep.get())
    try:
        async with ended_if_broken_off(begun, place.address):
            ready = await roll(job)
            if then is not None:
                await then()
    except TidegateError as error:
        stop.fail(region)
        error.region = error.region or region
        await github_deployments.finish(begun, "failure", error.what, place.address)
        raise
    seconds = time.monotonic() - began
    await github_deployments.finish(begun, "success", f"{shown(version)} is live", place.address)
    say(f"{shown(version)} is live with {ready} pods after {messages.duration(seconds)}", region=region)
    return RegionResult(region, "released", version, artifact.digest, ready, seconds)


@asynccontextmanager
async def ended_if_broken_off(begun: Begun, address: str) -> AsyncIterator[None]:
    """Where the run is cancelled inside, or by a mistake of ours, GitHub would show its deployment as in progress for
    ever: it is ended with `error`. Errors for a person are told by who knows the region."""
    try:
        yield
    except TidegateError:
        raise
    except BaseException:
        with suppress(Exception):
            await asyncio.shield(github_deployments.finish.fn(begun, "error", "its run broke off", address))
        raise


def deployment_name(environment: Environment, region: str) -> str:
    """GitHub's environment: `staging`, `production-us-east-1`."""
    return environment.name if len(environment.regions) == 1 else f"{environment.name}-{region}"


async def in_region(region: str, environment: str, artifact: Artifact, checkout: Path, strategy: str) -> RegionResult:
    """One region, here or in its own worker; see `flows.waves.InRegion`."""
    where = load.environment(environment)
    if where.dispatch == "regional":
        config, steps = wanted(where, artifact, plan.strategy(strategy)).config, lockstep.get()
        together = steps if isinstance(steps, Lockstep) else None
        return await send(Errand("forward", where, region, artifact, strategy, config, together=together))
    return await result_of(_in_region(region, environment, artifact, checkout, strategy))


@task(name="region", task_run_name="{region}")
async def _in_region(region: str, environment: str, artifact: Artifact, checkout: Path, strategy: str) -> RegionResult:
    """The region's subflow inside a task of its own: Prefect would else match side-by-side subflows by call order
    when their parent is retried."""
    facts = (artifact.version, artifact.digest, artifact.commit, str(checkout))
    return await apart(release_region(environment, region, *facts, strategy))


@flow(name="recover", flow_run_name="back from v{bad.artifact.version}", validate_parameters=False)
async def recover(
    environment: Environment,
    regions: tuple[str, ...],
    bad: Want,
    chart: Path,
    app: AppFile,
    left: Mapping[str, int] | None = None,
) -> list[RegionResult]:
    """Bring every changed region back to its last good version, in reverse order; what cannot go back is halted.

    `app` is the bad version's own file: nothing goes back over a migration that it declares irreversible. `left` are
    regions whose users have left it already, and the percent of them who were on it.
    """
    # Also where they have left already: a step that a regional worker had under way may have landed since.
    seen, before = await users_back(environment, regions, bad, app), left or {}
    shares = {name: max(seen.get(name, 0), before.get(name, 0)) for name in regions}
    states, results = [], []
    for region in regions:
        try:
            states.append(await deploy.observe(environment.regions[region]))
        except Unavailable as error:
            results.append(RegionResult(region, "halted", reason=f"it cannot be seen: {error}"))
    found = migrations.freeze(ways(states, bad), bad.artifact, app)
    for way in found:
        say("going back", region=way.region, warn=True)
        if (table := board.current()) is not None:
            table.says(way.region, board.BACK)
        began = time.monotonic()
        try:
            if environment.dispatch == "regional":
                result = await send(Errand("back", environment, way.region, bad.artifact, config=bad.config))
            else:
                result = await _go(environment, way, bad, chart)
        except TidegateError as error:
            result = RegionResult(way.region, "halted", reason=of_error(error)[1].removeprefix(f"{way.region}: "))
        results.append(replace(result, seconds=time.monotonic() - began, share=shares[way.region]))
    untouched = {state.region for state in states} - {result.region for result in results}
    return results + [unchanged(state) for state in states if state.region in untouched]


async def back_here(environment: Environment, region: str, bad: Want, chart: Path, app: AppFile) -> RegionResult:
    """One region of `recover`, in the worker beside its cluster. Raises what keeps it from going back."""
    state = await deploy.observe(environment.regions[region])
    found = migrations.freeze(ways([state], bad), bad.artifact, app)
    return await _go(environment, found[0], bad, chart) if found else unchanged(state)


async def _go(environment: Environment, way: Way, bad: Want, chart: Path) -> RegionResult:
    if not isinstance(way, Back):
        if way.removable:
            await deploy.uninstall(environment.regions[way.region], way.slot)
        return RegionResult(way.region, "halted", reason=way.why, next_step=way.decide)
    good = way.to.artifact
    if not way.at_once and not await image.exists(good.digest):
        gone = f"the image of v{good.version} ({good.digest[:19]}) is no longer in the registry."
        return RegionResult(way.region, "halted", reason=gone)
    ready = await go_back(environment, way, bad, chart)
    say(f"is back on {shown(good.version)} with {ready} pods", region=way.region)
    # Told afterwards: a GitHub that is slow must not delay the way back.
    back, name = f"back on {shown(good.version)}", deployment_name(environment, way.region)
    await github_deployments.retire(bad.artifact.commit, name, bad.artifact.digest, f"taken back: {back}")
    payload = {"version": good.version, "digest": good.digest, "run": context.run_id()}
    begun = await github_deployments.start(good.commit, name, back, payload)
    await github_deployments.finish(begun, "success", back, environment.regions[way.region].address)
    return RegionResult(way.region, "recovered", good.version, good.digest, ready)


def unchanged(state: RegionState) -> RegionResult:
    """What a region that nothing was done to has."""
    live = state.route.live if state.route else None
    ready = sum(pod.ready and not pod.terminating for pod in state.slot(state.live_slot).pods)
    if live is None:
        return RegionResult(state.region, "unchanged", ready=ready)
    return RegionResult(state.region, "unchanged", live.artifact.version, live.artifact.digest, ready)
