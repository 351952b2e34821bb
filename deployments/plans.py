"""What a release would do, read from the outside systems without changing any of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clients.git import Repository
from config import load
from deployments import forecast, reading
from release import (
    checks,
    diff,
    gates,
    gates_freeze,
    gates_messages,
    names,
    notes,
    plan,
    planning,
    quarantine,
    traffic,
    values,
    verification,
    wayback,
)
from release.checks_made import Check, Facts
from release.environment import Environment, Region, Strategy
from release.errors import Refused
from release.gates_votes import Bound
from release.model import Artifact, RegionState
from release.people import Requester
from release.planning import Change, Plan, RegionPlan
from release.strategy import Want
from release.versions import Version, parse_tag
from tasks import context


@dataclass(frozen=True, slots=True)
class Asked:
    """A release as `by` might ask for it, `at` a time in the gates' time zone; now where it is empty."""

    tag: str
    strategy: str | None = None
    regions: tuple[str, ...] = ()
    by: Requester = Requester("unknown")
    at: str = ""


async def read(asked: Asked) -> Plan:
    """The plan. What would be refused is told in it, gates that could never open too; raises Refused for what cannot
    be planned, and Unavailable where an outside system does not answer."""
    version, environment = parse_tag(asked.tag), load.environment("production")
    zone = environment.gates.zone
    at = gates_freeze.moment(asked.at, zone).timestamp() if asked.at else time.time()
    waves = plan.waves(environment, asked.regions)
    regions = [environment.regions[name] for wave in waves for name in wave]
    body, states, mirror = await asyncio.gather(reading.body(asked.tag), reading.states(regions), reading.mirror())
    chosen = plan.strategy(asked.strategy) if asked.strategy else notes.strategy_of(body or "") or "rolling"
    traffic.require_possible(chosen, regions)
    monitoring = load.settings().monitoring
    plan.require_judged(environment, chosen, monitoring.metrics or monitoring.url)
    commit = await mirror.commit_of_tag(asked.tag)
    found = await _checked(environment, mirror, version, commit, chosen, body, states)
    request = _request(asked, found, tuple(one.name for one in regions), states, at)
    standing = gates.judge(environment.gates, request, (), load.settings().persons, at)
    past = await forecast.past(environment, chosen)
    planned = [
        replace(await _region(environment, found, one, state), seconds=past.regions.get(one.name))
        for one, state in zip(regions, states, strict=True)
    ]
    live = all(one.steps == planning.NOTHING for one in planned)
    # What is live already is not released again, so nothing of it would be refused.
    refused = () if live else (*_never(environment, request), *planning.refusals(standing, found.checks))
    return Plan(
        tag=asked.tag,
        environment=environment.name,
        at=gates.told(at, zone),
        strategy=chosen,
        digest=found.want.artifact.digest,
        commit=commit,
        waves=waves,
        regions=tuple(planned),
        gates=standing.gates,
        checks=found.checks,
        refusals=tuple(what for what, _ in refused),
        next_steps=tuple(step for _, step in refused if step),
        seconds=planning.expected(waves, past.regions, past.around),
        based_on=past.count,
        nothing_to_do=live,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    want: Want
    on_branch: bool
    checks: tuple[Check, ...]
    images: frozenset[str]
    chart: Path | None


def _request(
    asked: Asked, found: _Found, regions: tuple[str, ...], states: Sequence[RegionState], at: float
) -> gates.Request:
    """What would stand at the gates for who asks here, with nobody's approval yet."""
    live = {state.region: _live(state) for state in states}
    bound = Bound(f"production {asked.tag}", found.want.artifact.digest, asked.strategy or "", regions, live)
    return gates.Request(asked.by.name, proven=asked.by.proven, at=at, bound=bound, on_branch=found.on_branch)


def _never(environment: Environment, request: gates.Request) -> tuple[tuple[str, str], ...]:
    """Why its gates could never open, as (what is wrong, what to do): no database, too few people."""
    settings = load.settings()
    store = settings.database is not None
    return gates_messages.impossible(environment.gates, request, settings.persons, store=store)


def _live(state: RegionState) -> tuple[str, str]:
    record = state.route.live if state.route else None
    return (record.artifact.version, record.artifact.digest) if record else ("", "")


async def _checked(
    environment: Environment,
    mirror: Repository,
    version: Version,
    commit: str,
    chosen: Strategy,
    body: str | None,
    states: Sequence[RegionState],
) -> _Found:
    """The checks as they stand, and the artifact; its digest is empty where staging never verified it."""
    on_branch = await mirror.contains(load.settings().application.branch, commit)
    made: list[Check] = []
    async with await context.registry() as registry:
        record = await registry.read_record(verification.tag_of(commit))
        try:
            artifact = verification.artifact_of(record, version, commit)
        except Refused as error:
            made.append(Check("staging", False, error.what.rstrip("."), error.next_step or ""))
            artifact = Artifact(str(version), "", commit)
        want = planning.want(environment, artifact, chosen, load.settings().application.name)
        live = [one.artifact.digest for one in wayback.live_records(states, artifact)]
        held = await registry.read_record(quarantine.tag_of(artifact.digest)) if artifact.digest else None
        images = await reading.there(registry, [digest for digest in (artifact.digest, *live) if digest])
    app = await reading.application(mirror, commit)
    entry = quarantine.from_record(held)
    facts = Facts(want=want, body=body, record=record, states=states, images=images, app=app, quarantined=entry)
    if artifact.digest:
        made += checks.listed(facts, environment.checks)
    return _Found(want, on_branch, tuple(made), images, await reading.chart(mirror, commit))


async def _region(environment: Environment, found: _Found, region: Region, state: RegionState) -> RegionPlan:
    change = await _change(environment, found, region, state) if found.want.artifact.digest else None
    app, window = load.settings().application.name, environment.progressive.window
    return planning.region_plan(state, found.want, app, window, found.images, change)


async def _change(environment: Environment, found: _Found, region: Region, state: RegionState) -> Change:
    """What is live against what would be, both as of the live slot: the names of the other one are no change."""
    settings, helm, place = load.settings(), await context.helm(), context.place(region)
    slot, here = state.live_slot, state.slot(state.live_slot)
    name = names.slot_release(settings.application.name, slot)
    rendered = values.of_slot(environment, region, settings.application.name, slot)
    new = values.with_image(rendered, settings.application.image, found.want.artifact)
    old_values: Mapping[str, object] = {}
    if here.release is not None:
        old_values = await helm.get_values(place, name, here.release.revision) or {}
    chart = found.chart or context.chart(None)
    with context.named(region):
        before, after = await asyncio.gather(helm.manifest(place, name), helm.rendered(place, name, chart, new))
    return Change(diff.values(old_values, new), diff.manifests(before or "", after))
