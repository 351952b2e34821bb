"""Ends of GitHub deployments that a run could not tell: a rate limit may last an hour, and a run does not. They are
kept at the Prefect server, and whichever run ends next tells them.

Meanwhile GitHub may have learned more, so one is told only where it is missing: of a deployment that GitHub still shows
as open, or that it never heard of while no newer one was made.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from prefect.artifacts import Artifact
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact as Kept
from prefect.client.schemas.sorting import ArtifactSort
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from pydantic import TypeAdapter

from release.errors import TidegateError, Unavailable
from tasks import api, context, github_ends
from tasks.github_ends import AT_ONCE, Begun, End
from tasks.say import say

if TYPE_CHECKING:
    from clients.github import GitHub

Ends = list[tuple[Begun, End]]
_KEY = "github-untold"
_DATA = TypeAdapter(Ends)
_OPEN = (None, "pending", "queued", "in_progress")
# So many runs' at once, the oldest first, and none for ever.
_MOST = 20
_LASTS_S = 7 * 86_400.0


async def keep(ends: Sequence[tuple[Begun, End]]) -> None:
    """For a run that comes later."""
    if not ends or not flow_run.id:
        return
    try:
        await Artifact(type="json", key=_KEY, data=_DATA.dump_python(list(ends), mode="json")).acreate()
    except Exception as error:  # a page at GitHub must not touch what the run has done
        say(f"nor will GitHub be told later: {error or type(error).__name__}", warn=True)
    else:
        say("GitHub will be told of it by a run that ends later, of whichever pipeline")


async def tell() -> None:
    """Tell what runs before this one kept, if GitHub can be told at once. It fails nothing."""
    if not flow_run.id:
        return
    try:
        async with api.client() as prefect:
            wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[_KEY]))
            found = await prefect.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC, limit=_MOST)
            client = await context.github(AT_ONCE) if found else None
            if client is None:
                return
            async with client as github:
                for one in reversed(found):
                    await _all_of(github, one)
                    with suppress(ObjectNotFound):  # another run was faster
                        await prefect.delete_artifact(one.id)
    except Exception as error:  # as above
        say(f"GitHub was not told what earlier runs left: {error or type(error).__name__}", warn=True)


async def _all_of(github: GitHub, one: Kept) -> None:
    """Raises Unavailable where GitHub cannot be told."""
    if one.created is None or time.time() - one.created.timestamp() > _LASTS_S:
        return
    try:
        ends = _DATA.validate_json(one.data) if isinstance(one.data, str) else _DATA.validate_python(one.data)
    except ValueError:  # of another version of Tidegate
        return
    for begun, end in ends:
        try:
            await _told(github, begun, end)
        except Unavailable:
            raise
        except TidegateError as error:  # it would say no again
            say(f"GitHub was not told: {error}", warn=True)


async def _told(github: GitHub, begun: Begun, end: End) -> None:
    number = await github_ends.known(github, begun)
    if number is None:
        newest = await github.deployments(begun.environment, limit=1)
        if any(one.created > end.at for one in newest):
            return
        number = await github_ends.create(github, begun)
    elif await github.deployment_state(number) not in _OPEN:
        return
    await github_ends.ended(github, number, end)
    say(f"GitHub was told late: {begun.environment}, {begun.description}: {end.state}")
