"""What comes before the first region of a production release: checks that check something, and a backup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from config import load
from flows import common
from release import checks, maintenance, messages, notes, plan, planning, wayback
from release.checks_made import Check, Facts
from release.environment import Environment, Strategy
from release.errors import TidegateError, Unavailable
from release.strategy import Want
from release.versions import Version
from tasks import image, notify, prepare, quarantine, source
from tasks.say import say


@dataclass(frozen=True, slots=True)
class Plan:
    """A production release as it was asked for."""

    environment: Environment
    version: Version
    strategy: Strategy
    regions: tuple[str, ...]
    actor: str
    accept_no_way_back: bool
    break_glass: str = ""


async def strategy_of(tag: str, asked: str | None) -> Strategy:
    """As asked, else as the body of the tag's GitHub release says, else rolling. Raises Unavailable where GitHub
    would have to say it and does not answer."""
    if asked:
        return plan.strategy(asked)
    try:
        return notes.strategy_of(await prepare.release_body(tag) or "") or "rolling"
    except Unavailable as error:
        step = "Try again later, or say which strategy with --strategy."
        raise Unavailable(error.what, field=error.field, next_step=step) from error


def require_maintenance(environment: Environment, strategy: Strategy, regions: Iterable[str]) -> None:
    """Raises Refused where the environment's maintenance mode cannot go with the strategy."""
    without = tuple(name for name in regions if len(environment.regions[name].previews) < 2)
    maintenance.require_possible(environment.maintenance.mode, strategy, without)


async def check(planned: Plan, want: Want, checkout: Path) -> None:
    """List every check but the last. Raises Refused where one fails: nothing was touched, not even the lock."""
    facts = await _facts(planned, want, checkout)
    found = checks.listed(facts, planned.environment.checks)
    await prepare.show_plan(_plan(planned, facts))
    await prepare.show(found)
    checks.require(found)


def _plan(planned: Plan, facts: Facts) -> planning.Plan:
    environment, app = planned.environment, load.settings().application.name
    window = environment.progressive.window
    return planning.Plan(
        tag=planned.version.tag,
        environment=environment.name,
        at="",
        strategy=planned.strategy,
        digest=facts.new.digest,
        commit=facts.new.commit,
        waves=plan.waves(environment, planned.regions),
        regions=tuple(planning.region_plan(state, facts.want, app, window, facts.images) for state in facts.states),
        gates=(),
    )


async def begin(planned: Plan, want: Want, checkout: Path) -> None:
    """With the lock won: check again, because another release may have come between; tell the team; back up.

    Raises Refused or Unavailable before any region is touched.
    """
    policy = planned.environment.checks
    found = checks.listed(await _facts(planned, want, checkout), policy)
    if all(one.ok for one in found):
        found = (*found, await _team(planned))
    await prepare.show(found, told=tuple(one for one in found if one.ok and one.name != "team told"))
    checks.require(found)
    await back_up(planned.environment, planned.version)


async def back_up(environment: Environment, version: Version) -> None:
    """Where the environment asks for it. Raises Refused or Unavailable, and tells #releases, where there is none."""
    if not environment.backup:
        return
    try:
        await prepare.database_backup(version.tag)
    except TidegateError as error:
        await notify.slack("releases", messages.not_started(str(version), error.what))
        raise


async def _facts(planned: Plan, want: Want, checkout: Path) -> Facts:
    states = await common.observed(planned.environment, planned.regions, hurry=True)
    record = await prepare.verification_record(want.artifact.commit)
    live = wayback.live_records(states, want.artifact)
    return Facts(
        want=want,
        body=await prepare.release_body(planned.version.tag) if planned.environment.checks.release_notes else None,
        record=record,
        states=states,
        images=await _there([want.artifact.digest, *(one.artifact.digest for one in live)]),
        app=source.application_file(checkout),
        no_way_back=planned.accept_no_way_back,
        quarantined=await quarantine.entry(want.artifact.digest),
    )


async def _there(digests: Sequence[str]) -> frozenset[str]:
    return frozenset([digest for digest in dict.fromkeys(digests) if await image.exists(digest)])


async def _team(planned: Plan) -> Check:
    text = messages.starting(str(planned.version), planned.strategy, planned.regions, planned.actor)
    try:
        await prepare.tell_team(text)
    except TidegateError as error:
        say(f"Slack was not told: {error}", warn=True)
        return checks.team(planned.environment.checks, error.what)
    return checks.team(planned.environment.checks, None)
