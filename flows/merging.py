"""What a hotfix leaves behind once it is live everywhere: tags, a release, merges. None of it undoes anything."""

from __future__ import annotations

from collections.abc import Awaitable

from config import load
from flows import common
from release import hotfix_messages as told
from release.branches import DEVELOP
from release.environment import Environment
from release.errors import TidegateError
from release.hotfix import replaced
from release.hotfix_messages import Fix, Left
from release.model import RegionState
from tasks import clock, hotfix, image, notify
from tasks.say import say


async def leave_behind(
    environment: Environment, fix: Fix, before: list[RegionState], seconds: float, actor: str
) -> tuple[str, ...]:
    """Image tag, record, git tag, GitHub release and merges, each once; what a person must finish, as sentences.

    `before` are the regions as they were before the hotfix.
    """
    done: list[str] = []
    left: list[str] = []

    async def attempt(what: str, step: Awaitable[str | None]) -> bool:
        try:
            done.append(await step or what)
        except TidegateError as error:
            left.append(f"not done: {what}. {error}")
            say(left[-1], warn=True)
            return False
        return True

    await attempt(f"the image is {fix.tag} in the registry", image.promote(fix.artifact.digest, fix.tag))
    await attempt("its digest is recorded for its commit", hotfix.record(fix, clock.now()))
    if await attempt(f"tag {fix.tag}", hotfix.tag(fix)):
        await attempt(f"GitHub release {fix.tag}", _publish(environment, fix, before))
    merged = await _merged(fix)
    lines = told.finished(fix, Left((*done, *merged.done), (*left, *merged.open)), seconds, actor)
    await notify.slack("incidents", lines)
    return (*left, *merged.open)


async def _publish(environment: Environment, fix: Fix, before: list[RegionState]) -> str:
    """The release, with what the regions themselves say about when it went live."""
    states = await common.observed(environment, environment.regions)
    live = {state.region: state.route.live.at for state in states if state.route and state.route.live}
    subjects = await hotfix.changes(fix.artifact.commit, replaced(before, fix.artifact))
    return await hotfix.publish(fix, told.release_body(fix, live, subjects))


async def _merged(fix: Fix) -> Left:
    """Into main, then main into develop."""
    main = load.settings().application.branch
    first = await _merge(fix, fix.branch, main)
    if first.open:
        return Left(open=(*first.open, f"{DEVELOP} gets it from {main} once that is merged: merge {main} into it."))
    second = await _merge(fix, main, DEVELOP)
    return Left((*first.done, *second.done), second.open)


async def _merge(fix: Fix, head: str, base: str) -> Left:
    try:
        return await hotfix.merge(fix, head, base)
    except TidegateError as error:
        say(f"{head} is not merged into {base}: {error}", warn=True)
        return Left(open=(f"{head} is not merged into {base}: {error}",))
