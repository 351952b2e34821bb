"""The loop over one region: observe, decide, act, until the wanted version is live or condemned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import load
from release import messages, strategy, values
from release.environment import Environment, Region
from release.errors import Failed
from release.model import Artifact, Record, Slot
from release.recovery import Back
from release.strategy import Want
from tasks import clock, context, deploy, probe, source, stop


@dataclass(frozen=True, slots=True)
class Job:
    """One region's work: what to bring there, with which chart, and how to tell that it is right.

    `checkout` holds the commands of `checks`; a recovery has none and trusts probes and pod digests.
    """

    environment: Environment
    region: Region
    artifact: Artifact
    chart: Path
    description: str
    checkout: Path | None = None
    checks: tuple[str, ...] = ()
    back: Record | None = None

    @property
    def recovering(self) -> bool:
        return self.back is not None


async def roll(job: Job) -> int:
    """Bring the version live in the region; the count of its Ready pods. Raises Failed with the pods' own reason.

    Each step is read from the cluster, so a run that was killed anywhere goes on from there.
    """
    verified = False
    while True:
        stop.check(job.region.name, recovering=job.recovering)
        state = await deploy.observe(job.region)
        slot = state.live_slot
        rendered = await _values(job, slot)
        want = Want(job.artifact, _fingerprint(job, rendered), job.environment.rolling)
        step = strategy.rolling(state, want, verified=verified)
        if isinstance(step, strategy.Await):
            step = await deploy.watch(job.region, want, recovering=job.recovering)
        match step:
            case strategy.Unblock(slot):
                await deploy.unblock(job.region, slot)
            case strategy.Upgrade(slot):
                verified = False
                image = values.with_image(rendered, load.settings().application.image, job.artifact)
                await deploy.upgrade(job.region, slot, want, job.chart, image, job.description, force=job.recovering)
            case strategy.Route(slot):
                await deploy.route(job.region, slot)
            case strategy.Verify(slot):
                await verify(job, slot)
                verified = True
            case strategy.Remember(slot, revision):
                record = Record(job.artifact, slot, revision, want.config, clock.now(), context.run_id())
                await deploy.remember(job.region, record)
            case strategy.Condemn(_, why):
                raise Failed(
                    str(why),
                    region=job.region.name,
                    next_step=f"Mend the version; `kubectl --context {job.region.context} describe pod` has the rest.",
                )
            case strategy.Done(slot):
                return await deploy.require_digest(job.region, job.artifact.digest)


async def verify(job: Job, slot: Slot) -> None:
    """Chart tests, health probes, then the application's own checks against the region's address."""
    if job.recovering or job.checkout is None:
        return  # the way back is probed once, at its end
    await deploy.chart_test(job.region, slot)
    await probe.healthy(job.region.name, job.region.address, job.environment.probe)
    variables = await context.variables(job.environment, job.region)
    expected = {"EXPECTED_VERSION": job.artifact.version, "EXPECTED_COMMIT": job.artifact.commit}
    for check in job.checks:
        await source.check(job.region.name, check, job.checkout, {**variables, **expected})


async def _values(job: Job, slot: Slot) -> dict[str, Any]:
    """The chart values: a recovery takes those that ran with the good version, where Helm still has them."""
    if job.back is not None and (recorded := await deploy.recorded_values(job.region, job.back)) is not None:
        return {key: value for key, value in recorded.items() if key not in ("image", "version")}
    return values.of_slot(job.environment, job.region, load.settings().application.name, slot)


def _fingerprint(job: Job, rendered: dict[str, Any]) -> str:
    return job.back.config if job.back is not None else values.fingerprint(rendered)


async def go_back(environment: Environment, way: Back, bad: Artifact, chart: Path) -> int:
    """Bring a region back to its last good version and probe it; the count of its Ready pods."""
    region = environment.regions[way.region]
    good = way.to.artifact
    job = Job(environment, region, good, chart, messages.gone_back(bad, good), back=way.to)
    ready = await roll(job)
    await probe.healthy(region.name, region.address, environment.probe, recovering=True)
    return ready
