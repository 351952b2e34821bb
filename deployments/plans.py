"""What a release would do, read from the outside systems without changing any of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from clients.git import Repository
from clients.prefect_runs import Runs
from clients.registry import Registry
from config import load
from deployments import prefectapi
from release import appfile, checks, diff, names, notes, plan, planning, values, verification, wayback
from release.appfile import AppFile
from release.checks_made import Check, Facts
from release.environment import Environment, Region, Strategy
from release.errors import Refused, TidegateError
from release.model import Artifact, RegionState
from release.planning import Change, Plan, RegionPlan
from release.strategy import Want
from release.versions import Version, parse_tag
from tasks import context

_PAST = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """A release as somebody might ask for it."""

    tag: str
    strategy: str | None = None
    regions: tuple[str, ...] = ()


async def read(asked: Asked) -> Plan:
    """The plan. What would be refused is told in it; raises Refused for what cannot be planned, and Unavailable where
    an outside system does not answer."""
    version, environment = parse_tag(asked.tag), load.environment("production")
    waves = plan.waves(environment, asked.regions)
    regions = [environment.regions[name] for wave in waves for name in wave]
    body, states, mirror = await asyncio.gather(_body(asked.tag), _states(regions), _mirror())
    chosen = plan.strategy(asked.strategy) if asked.strategy else notes.strategy_of(body or "") or "rolling"
    commit = await mirror.commit_of(asked.tag)
    found = await _checked(environment, mirror, version, commit, chosen, body, states)
    past = await _past(environment, chosen)
    planned = [
        replace(await _region(environment, found, one, state), seconds=past.regions.get(one.name))
        for one, state in zip(regions, states, strict=True)
    ]
    live = all(one.steps == planning.NOTHING for one in planned)
    # What is live already is not released again, so nothing of it would be refused.
    refused = () if live else planning.refusals(found.checks)
    return Plan(
        tag=asked.tag,
        environment=environment.name,
        strategy=chosen,
        digest=found.want.artifact.digest,
        commit=commit,
        waves=waves,
        regions=tuple(planned),
        gates=planning.gates(environment),
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
    checks: tuple[Check, ...]
    images: frozenset[str]
    chart: Path | None


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
    branch = load.settings().application.branch
    made = [] if await mirror.contains(branch, commit) else [_not_on(version, branch)]
    async with await context.registry() as registry:
        record = await registry.read_record(verification.tag_of(commit))
        try:
            artifact = verification.artifact_of(record, version, commit)
        except Refused as error:
            made.append(Check("staging", False, error.what.rstrip("."), error.next_step or ""))
            artifact = Artifact(str(version), "", commit)
        want = planning.want(environment, artifact, chosen, load.settings().application.name)
        live = [one.artifact.digest for one in wayback.live_records(states, artifact)]
        images = await _there(registry, [digest for digest in (artifact.digest, *live) if digest])
    app = await _application(mirror, commit)
    facts = Facts(want=want, body=body, record=record, states=states, images=images, app=app)
    if artifact.digest:
        made += checks.listed(facts, environment.checks)
    return _Found(want, tuple(made), images, await _chart(mirror, commit))


def _not_on(version: Version, branch: str) -> Check:
    step = f"Merge it into {branch} and tag the merged commit."
    return Check("branch", False, f"the commit of {version.tag} is not on {branch}", step)


async def _region(environment: Environment, found: _Found, region: Region, state: RegionState) -> RegionPlan:
    app, live = load.settings().application.name, state.route.live if state.route else None
    return RegionPlan(
        region.name,
        live.artifact.version if live else "",
        planning.steps(state, found.want, app, environment.progressive.window),
        planning.back_to(state, found.want, found.images),
        await _change(environment, found, region, state) if found.want.artifact.digest else Change(),
    )


async def _change(environment: Environment, found: _Found, region: Region, state: RegionState) -> Change:
    """What is live against what would be, both as of the live slot: the names of the other one are no change."""
    settings, helm, place = load.settings(), context.helm(), context.place(region)
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


async def _states(regions: Sequence[Region]) -> list[RegionState]:
    async def one(region: Region) -> RegionState:
        async with context.cluster(region) as cluster:
            return await cluster.observe(load.settings().application.name, region.name)

    return list(await asyncio.gather(*(one(region) for region in regions)))


async def _body(tag: str) -> str | None:
    client = await context.github()
    if client is None:
        return None
    async with client as github:
        found = await github.release(tag)
    return None if found is None else found.body


async def _mirror() -> Repository:
    application = load.settings().application
    return await Repository.open(application.git, context.work("mirrors") / f"{application.name}.git")


async def _application(mirror: Repository, commit: str) -> AppFile:
    text = await mirror.read(commit, "tidegate.yaml")
    try:
        return appfile.parse(yaml.safe_load(text or ""))
    except yaml.YAMLError:
        raise Refused("it is not valid YAML.", field="tidegate.yaml", next_step="Mend the file.") from None


async def _chart(mirror: Repository, commit: str) -> Path | None:
    """The application's own chart, checked out; None where Tidegate's is used."""
    if load.settings().application.chart is None:
        return None
    return context.chart(await mirror.checkout(commit, context.work("plans") / f"source-{commit[:12]}"))


async def _there(registry: Registry, digests: Sequence[str]) -> frozenset[str]:
    return frozenset([digest for digest in dict.fromkeys(digests) if await registry.manifest(digest) is not None])


@dataclass(frozen=True, slots=True)
class _Past:
    """Seconds of a region, and of what comes before and after the regions: medians of `count` good releases."""

    regions: Mapping[str, float]
    around: float
    count: int


async def _past(environment: Environment, chosen: Strategy) -> _Past:
    """From the runs that Prefect still has; nothing where it does not answer, for that is only a guess less."""
    with suppress(TidegateError):
        async with prefectapi.runs() as runs:
            return await _told(runs, environment, chosen)
    return _Past({}, 0.0, 0)


async def _told(runs: Runs, environment: Environment, chosen: Strategy) -> _Past:
    seconds: dict[str, list[float]] = {}
    around: list[float] = []
    good = await runs.newest(("production",), _PAST, types=("COMPLETED",))
    for run in good:
        children = [one for one in await runs.children(run.id) if one.flow == "region" and one.type == "COMPLETED"]
        children = [one for one in children if one.parameters.get("strategy", "rolling") == chosen]
        if not children:
            continue
        took = {str(one.parameters.get("region")): one.seconds for one in children}
        for region, one in took.items():
            seconds.setdefault(region, []).append(one)
        waves = planning.expected(plan.waves(environment, [*took]), took, 0.0) or 0.0
        around.append(max(0.0, run.seconds - waves))
    found = {region: planning.median(each) for region, each in seconds.items()}
    return _Past(found, planning.median(around), len(around))
