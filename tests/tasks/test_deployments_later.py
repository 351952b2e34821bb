"""How a GitHub deployment ended is told by a later run, where a rate limit outlasts the run itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from artifact_server import ArtifactServer
from deployment_hub import MADE, Hub
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from tasks import github_deployments, github_later
from tasks.github_ends import Begun

AN_HOUR = 3600
EU = "production-eu"
TODAY = {"created": datetime.now(UTC).isoformat(), "updated": datetime.now(UTC).isoformat()}
NEXT_DAY = {"created_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}


@pytest.fixture
async def prefect() -> AsyncIterator[ArtifactServer]:
    found, run = ArtifactServer(), FlowRun(id=uuid4(), flow_id=uuid4())
    async with found.served():
        with FlowRunContext.model_construct(flow_run=run):
            yield found


def begun(number: int | None = 7) -> Begun:
    return Begun("c0ffee", EU, "v1.5.0", {"version": "1.5.0", "run": "r"}, number)


async def a_run_that_ends(hub: Hub, *ends: Begun) -> None:
    """While GitHub's limit lasts longer than it; a later run's process does not know of that limit."""
    hub.limited = AN_HOUR
    github_deployments.begin()
    for one in ends:
        await github_deployments.finish.fn(one, "success", "v1.5.0 is live", "http://shop.test")
    await github_deployments.tell_again()
    assert hub.told == []
    hub.limited = 0
    hub.another_process()


async def test_it_is_told_once_by_the_next_run(hub: Hub, prefect: ArtifactServer) -> None:
    hub.open = {"7"}
    await a_run_that_ends(hub, begun())
    assert len(prefect.kept) == 1
    for _ in range(2):
        await github_later.tell()
    assert (hub.told, prefect.kept) == (["success"], [])


async def test_it_is_kept_while_the_limit_lasts(hub: Hub, prefect: ArtifactServer) -> None:
    hub.open = {"7"}
    await a_run_that_ends(hub, begun())
    hub.limited = AN_HOUR
    await github_later.tell()
    assert (hub.told, len(prefect.kept)) == ([], 1)
    hub.limited = 0
    hub.another_process()
    await github_later.tell()
    assert (hub.told, prefect.kept) == (["success"], [])


async def test_one_that_github_never_heard_of_is_made(hub: Hub, prefect: ArtifactServer) -> None:
    await a_run_that_ends(hub, begun(None))
    await github_later.tell()
    assert hub.told == ["8 success"]
    assert hub.deployments[0]["payload"] == {"version": "1.5.0", "run": "r"}


async def test_but_not_on_top_of_a_newer_one(hub: Hub, prefect: ArtifactServer) -> None:
    await a_run_that_ends(hub, begun(None))
    hub.deployments.append({**MADE, **NEXT_DAY, "id": 9, "payload": {"version": "1.6.0"}})
    await github_later.tell()
    assert (hub.told, len(hub.deployments), prefect.kept) == ([], 1, [])


async def test_what_was_ended_or_taken_back_meanwhile_stays_so(hub: Hub, prefect: ArtifactServer) -> None:
    await a_run_that_ends(hub, begun())
    await github_later.tell()
    assert (hub.told, prefect.kept) == ([], [])


async def test_one_of_long_ago_is_let_go(hub: Hub, prefect: ArtifactServer) -> None:
    hub.open = {"7"}
    await a_run_that_ends(hub, begun())
    prefect.kept[0]["created"] = (datetime.now(UTC) - timedelta(days=8)).isoformat()
    await github_later.tell()
    assert (hub.told, prefect.kept) == ([], [])


async def test_a_run_that_told_all_keeps_nothing_and_asks_github_nothing(hub: Hub, prefect: ArtifactServer) -> None:
    github_deployments.begin()
    await github_later.tell()
    await github_deployments.tell_again()
    assert (prefect.kept, hub.asked) == ([], 0)


async def test_a_prefect_server_that_is_away_fails_nothing(hub: Hub, prefect: ArtifactServer) -> None:
    prefect.down = True
    await a_run_that_ends(hub, begun())
    await github_later.tell()
    assert hub.told == []


async def test_what_nobody_can_read_holds_up_no_other(hub: Hub, prefect: ArtifactServer) -> None:
    hub.open = {"7"}
    prefect.kept.append({**TODAY, "key": "github-untold", "id": str(uuid4()), "data": "[1]"})
    await a_run_that_ends(hub, begun())
    await github_later.tell()
    assert (hub.told, prefect.kept) == (["success"], [])
