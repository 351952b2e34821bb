"""The loop over one region: observe, decide, act, until the wanted version is live or condemned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from config import load
from flows.judge import Judging
from flows.lockstep import Together
from release import live, messages, recovery, steps, strategy, values, window
from release.environment import Environment, Region
from release.errors import Failed, Spared
from release.health import Bad
from release.model import Record, RegionState, Slot
from release.recovery import Back
from release.strategy import Seen, Want
from tasks import autoscaling, clock, context, deploy, evidence, probe, retiring, rollout, source, stop


@dataclass(frozen=True, slots=True)
class Job:
    """One region's work: what to bring there, with which chart, and how to tell that it is right.

    `checkout` holds the commands of `checks`. On the way back `way` says where to and `bad` from what; then there are
    no checks: probes and pod digests are trusted. `together` are the regions that take a canary's steps as one.
    """

    environment: Environment
    region: Region
    want: Want
    chart: Path
    description: str
    checkout: Path | None = None
    checks: tuple[str, ...] = ()
    way: Back | None = None
    bad: Want | None = None
    together: Together | None = None

    def decide(self, seen: Seen, state: RegionState) -> steps.Step:
        """The next step, forward or back."""
        if self.way is not None and self.bad is not None:
            return recovery.step_back(state, self.way, self.bad, seen)
        return strategy.next_step(state, self.want, seen)


async def roll(job: Job) -> int:
    """Bring the version live in the region; the count of its Ready pods. Raises Failed with the pods' own reason.

    Each step is read from the cluster, so a run that was killed anywhere goes on from there.
    """
    if job.way is not None or len(job.want.weights) < 2:
        return await _loop(job, None)
    state = await deploy.observe(job.region)
    canary = strategy.other(state.live_slot)
    weight, alone = state.route.weight(canary) if state.route else 0, window.alone(state, clock.now())
    async with Judging(job.environment, job.region, canary, weight, job.want.artifact.version, alone) as judging:
        try:
            return await _loop(job, judging)
        except stop.Stopped:
            judging.check()  # where it was this region's own verdict that stopped them all
            raise


async def _loop(job: Job, judging: Judging | None) -> int:
    seen, back = Seen(), job.way is not None
    while True:
        if not back:
            await stop.pause(job.region.name)
        stop.check_lock(job.region.name)
        step = job.decide(seen, await deploy.observe(job.region))
        if isinstance(step, steps.Await):
            step = await rollout.watch(job.region, job.want, partial(job.decide, seen), recovering=back)
        if judging is not None:
            judging.check()
        match step:
            case steps.Done():
                return await deploy.require_digest(job.region, job.want.artifact.digest, back=back)
            case steps.Condemn(slot, why):
                raise await _condemned(job, slot, why)
            case steps.Preview(slot):
                await check(job, slot, job.region.previews.get(slot))
                seen = replace(seen, previewed=True)
            case steps.Verify(slot):
                await check(job, slot, job.environment.checked_at(job.region, slot))
                seen = replace(seen, verified=True)
            case steps.Judge(_, weight) if judging is not None:
                await judging.verdict(weight)
                if job.together is not None:
                    await job.together.reached(job.region.name, weight, judging.check)
                seen = replace(seen, judged=weight)
            case steps.Shift(slot, weight):
                await act(job, step)
                seen = replace(seen, verified=False)
                if judging is not None:
                    judging.moved(slot, weight)
            case _:
                await act(job, step)
                seen = replace(seen, verified=False)


async def act(job: Job, step: steps.Step) -> None:
    """One effect on the region."""
    region = job.region
    match step:
        case steps.Unblock(slot):
            await deploy.unblock(region, slot)
        case steps.Upgrade(slot, replicas):
            rendered = values.with_replicas(await _values(job, slot), replicas)
            image = values.with_image(rendered, load.settings().application.image, job.want.artifact)
            if values.least(job.environment) is not None:
                await autoscaling.keep_count(region, slot)
            await deploy.upgrade(region, slot, job.want, job.chart, image, job.description, force=job.way is not None)
        case steps.Route(slot):
            await deploy.route(region, slot)
        case steps.Shift(slot, weight):
            if job.way is None and values.least(job.environment) is not None:
                await autoscaling.hold(region, strategy.other(slot), await deploy.observe(region))
            await deploy.shift(region, slot, weight, back=job.way is not None)
        case steps.Retire(slot):
            await deploy.uninstall(region, slot)
            await retiring.forget(region)
        case steps.Remember(slot, revision):
            record = Record(job.want.artifact, slot, revision, job.want.config, clock.now(), context.run_id())
            until = clock.later(job.environment.progressive.window)
            await deploy.remember(region, record, live.retirement(step, until), back=step.back)


async def check(job: Job, slot: Slot, address: str | None) -> None:
    """Chart tests, health probes, then the application's own checks, all against one address."""
    if job.way is not None or job.checkout is None or address is None:
        return  # the way back is probed once, at its end
    await rollout.endpoints(job.region, slot, job.want.limits)
    await deploy.chart_test(job.region, slot)
    await probe.healthy(job.region.name, address, job.environment.probe)
    variables = await context.variables(job.environment, job.region)
    artifact = job.want.artifact
    expected = {"EXPECTED_VERSION": artifact.version, "EXPECTED_COMMIT": artifact.commit}
    here = {"API_URL": address, "TARGET_URL": address}
    for name in job.checks:
        given = {**variables, **expected, **here}
        await source.check(job.region.name, name, job.checkout, given, tuple(job.environment.secrets))


async def _values(job: Job, slot: Slot) -> dict[str, Any]:
    """The chart values: a recovery takes those that ran with the good version, where Helm still has them."""
    if job.way is not None and (recorded := await deploy.recorded_values(job.region, job.way.to)) is not None:
        return {**{key: value for key, value in recorded.items() if key not in ("image", "version")}, "slot": slot}
    return values.of_slot(job.environment, job.region, load.settings().application.name, slot)


async def _condemned(job: Job, slot: Slot, why: Bad) -> Failed:
    region = job.region
    look = f"`kubectl --context {region.context} describe pod` has the rest."
    if job.way is None:
        # Users leave meanwhile. What goes back after this takes the pods with it.
        stop.fail(region.name)
        kept = await evidence.keep(job.environment, region, slot, job.want.artifact, str(why))
        events = f"`kubectl --context {region.context} get events` has the rest."
        look = f"the run's artifact {evidence.key(region)} has its pods' events." if kept else events
    if not why.condemns:
        return Spared(str(why), region=region.name, next_step=f"Mend what it names; {look}")
    return Failed(str(why), region=region.name, next_step=f"Mend the version; {look}")


async def go_back(environment: Environment, way: Back, bad: Want, chart: Path) -> int:
    """Bring a region back to its last good version and probe it; the count of its Ready pods."""
    region = environment.regions[way.region]
    description = messages.gone_back(bad.artifact, way.to.artifact)
    job = Job(environment, region, recovery.wanted(way, bad), chart, description, way=way, bad=bad)
    ready = await roll(job)
    if (least := values.least(environment)) is not None:
        await autoscaling.free(region, way.to.slot, least)
    await probe.healthy(region.name, environment.checked_at(region, way.to.slot), environment.probe, recovering=True)
    return ready
