"""What is done to a region: each task one effect, safe to do twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect import task

from clients import manifests
from clients.helm_errors import Pending
from config import load
from release import health, labels, live, names, traffic
from release.environment import Environment, Region
from release.errors import Halted, Refused
from release.model import Record, RegionState, Retirement, Slot
from release.strategy import Want
from release.versions import shown
from tasks import context, offered, stop
from tasks.policy import PATIENT, RETRY
from tasks.say import say

_HELM_TIMEOUT = 300.0


def _app() -> str:
    return load.settings().application.name


@task(task_run_name="observe {region.name}", **PATIENT)
async def observe(region: Region) -> RegionState:
    """What is there now. Never cached."""
    async with context.cluster(region) as cluster:
        return await cluster.observe(_app(), region.name)


@task(task_run_name="check {region.name}", **RETRY)
async def preflight(
    environment: Environment, region: Region, slot: Slot, chart: Path, values: Mapping[str, Any]
) -> None:
    """Raises Refused or Unavailable before any effect: context, rights, Gateway API, Secret keys, secrets and chart.

    The image is not looked at, so it may still be to be built.
    """
    name = names.slot_release(_app(), slot)
    async with context.cluster(region) as cluster:
        await cluster.reachable()
        own_chart = load.settings().application.chart is None
        await offered.require(region, own_chart=own_chart, gateway=region.traffic == "gateway")
        if environment.kubernetes_secret:
            keys = await cluster.secret_keys(environment.kubernetes_secret)
            missing = sorted(set(environment.secrets) - (keys or frozenset()))
            if missing:
                raise Refused(
                    f"the Secret {environment.kubernetes_secret} in {region.namespace} "
                    + ("has no key " + ", ".join(missing) if keys is not None else "does not exist"),
                    region=region.name,
                    field="kubernetes_secret",
                    next_step="Create it there; Tidegate never copies secrets into a cluster.",
                )
    await context.variables(environment, region)
    helm, place = await context.helm(), context.place(region)
    with context.named(region):
        await offered.require_helm(helm)
        try:
            made = await helm.rendered(place, name, chart, values)
        except Pending:
            # A killed run left it so, and under the lock it is cleared.
            made = await helm.template(place, name, chart, values)
        await manifests.require_accepted(load.settings().kubeconfig.expanduser(), place.context, place.namespace, made)


@task(task_run_name="{region.name}: upgrade {slot} to {want.artifact.version}", **PATIENT)
async def upgrade(
    region: Region, slot: Slot, want: Want, chart: Path, values: Mapping[str, Any], description: str, *, force: bool
) -> None:
    """Install or upgrade the slot's Helm release; it does not wait for the pods.

    `force` takes back what somebody changed behind Helm's back: right on the way back, never on the way forward.
    Raises Stopped or Aborted where the release was, before each try on the way forward.
    """
    stop.check(region.name, recovering=force)
    name = names.slot_release(_app(), slot)
    await (await context.helm()).upgrade(
        context.place(region),
        name,
        chart,
        values,
        labels=labels.release_labels(_app(), want.artifact, want.config),
        description=description,
        timeout=_HELM_TIMEOUT,
        force_conflicts=force,
    )
    say(f"{name} is being upgraded to {shown(want.artifact.version)}", region=region.name)


@task(task_run_name="{region.name}: clear the pending operation", **PATIENT)
async def unblock(region: Region, slot: Slot) -> None:
    """Clear what a killed run left pending: by an explicit revision, or by removing a first install."""
    helm, place, name = await context.helm(), context.place(region), names.slot_release(_app(), slot)
    history = await helm.history(place, name)
    revision = live.unblock_revision([(entry.revision, entry.status) for entry in history])
    if revision is None:
        await helm.uninstall(place, name)
    else:
        await helm.rollback(place, name, revision)
    say(f"cleared an operation of {name} that a killed run had left pending", region=region.name)


@task(task_run_name="{region.name}: create the traffic objects", **PATIENT)
async def route(region: Region, slot: Slot) -> None:
    """Both slots' Services, the weighted route and the previews, or the public Service: everything to `slot`."""
    weights = (100, 0) if slot == "blue" else (0, 100)
    async with context.cluster(region) as cluster:
        await cluster.apply(traffic.manifests(_app(), region, blue=weights[0], green=weights[1]))
    say(f"users are sent to {slot}", region=region.name)


@task(task_run_name="{region.name}: chart test", **PATIENT)
async def chart_test(region: Region, slot: Slot) -> None:
    """The chart's own tests. Raises Failed when one fails."""
    name = names.slot_release(_app(), slot)
    await (await context.helm()).test(context.place(region), name, timeout=60.0)
    say(f"the chart's tests of {name} passed", region=region.name)


@task(task_run_name="{region.name}: weight of {slot} {weight}", **PATIENT)
async def shift(region: Region, slot: Slot, weight: int, *, back: bool = False) -> None:
    """The users' split, in one write. Raises Stopped or Aborted where the release was meanwhile, unless it goes `back`:
    a write that is tried again must not send users to a version that is condemned by then."""
    blue = weight if slot == "blue" else 100 - weight
    async with stop.moving(region.name, back=back), context.cluster(region) as cluster:
        await cluster.set_weights(_app(), blue, 100 - blue)
    say(f"{slot} now has {weight} % of the users", region=region.name)


@task(task_run_name="{region.name}: record {record.artifact.version} as live", **PATIENT)
async def remember(region: Region, record: Record, kept: Retirement | None, *, back: bool) -> None:
    """What went live, on the route; what is before it (nothing on the way back), and the slot kept for the window."""
    async with context.cluster(region) as cluster:
        state = await cluster.observe(_app(), region.name)
        recorded, previous = live.records(state.route, record, back=back)
        await cluster.record(_app(), recorded, previous, kept)


@task(task_run_name="{region.name}: values of revision {record.revision}", **PATIENT)
async def recorded_values(region: Region, record: Record) -> Mapping[str, Any] | None:
    """The chart values a recorded version ran with; None when Helm no longer keeps that revision."""
    name = names.slot_release(_app(), record.slot)
    return await (await context.helm()).get_values(context.place(region), name, record.revision)


@task(task_run_name="{region.name}: uninstall {slot}", **PATIENT)
async def uninstall(region: Region, slot: Slot) -> None:
    """Remove a slot's Helm release and its chart tests, which Helm leaves; its Service stays."""
    name = names.slot_release(_app(), slot)
    await (await context.helm()).uninstall(context.place(region), name)
    async with context.cluster(region) as cluster:
        await cluster.remove_tests(name)
    say(f"removed {name}, which has no users", region=region.name)


@task(task_run_name="{region.name}: compare every pod's digest", **PATIENT)
async def require_digest(region: Region, digest: str, *, back: bool) -> int:
    """The count of Ready pods, all of them with `digest`; Halted otherwise: a label proves nothing. `back` says that
    the region went back to it."""
    state = await observe.fn(region)
    here = state.slot(state.live_slot)
    ready = health.ready_digests(here.pods)
    if ready != {digest}:
        seen = f"Ready pods have {', '.join(sorted(ready)) or 'no digest at all'} instead of {digest}."
        if back:
            look = "Look at the pods of that region; nothing more is done by itself."
            raise Halted(f"after going back, {seen}", region=region.name, next_step=look)
        look = "Look who changed the pods of that region during the release; then release it again."
        raise Halted(f"once it was live, {seen}", region=region.name, next_step=look)
    return sum(pod.ready and not pod.terminating for pod in here.pods)
