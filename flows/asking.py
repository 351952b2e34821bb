"""What is asked for at the gates: by whom, and what an approval of it would bind now."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from clients.ballots import Ballots
from config import load
from flows import common
from release.environment import Environment
from release.errors import TidegateError
from release.gates_votes import Bound
from release.model import Artifact
from tasks import context
from tasks.say import say


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for at the gates of an environment. `channel` hears of it while it waits for people."""

    environment: Environment
    pipeline: str
    artifact: Artifact
    strategy: str
    regions: tuple[str, ...]
    actor: str
    break_glass: str = ""
    on_branch: bool | None = None
    channel: str = "releases"


def asks(asking: Asking) -> bool:
    """Whether anything is asked at all; the branch is asked when a run begins."""
    policy = asking.environment.gates
    return bool(policy.approvals or policy.wait or policy.freezes or asking.break_glass)


async def bound_now(asking: Asking) -> Bound:
    """What an approval would bind now."""
    live = {}
    for state in await common.observed(asking.environment, asking.regions):
        found = state.route.live.artifact if state.route and state.route.live else None
        live[state.region] = (found.version, found.digest) if found else ("", "")
    return _bound(asking, live)


def _bound(asking: Asking, live: Mapping[str, tuple[str, str]]) -> Bound:
    what = f"{asking.pipeline} of {load.settings().application.name}"
    return Bound(what, asking.artifact.digest, asking.strategy, asking.regions, live, asking.break_glass)


async def over(asking: Asking) -> None:
    """The release is over, however it ended: its votes count for no other."""
    try:
        store = await context.store()
        if store is None:
            return
        async with store:
            await Ballots(store).end(_bound(asking, {}).key, time.time(), waiting=False)
    except TidegateError as error:
        say(f"the votes were not closed: {error}", warn=True)
