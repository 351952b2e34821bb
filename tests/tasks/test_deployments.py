"""A GitHub deployment never stays in progress, however its run ends, nor a success once it was taken back."""

from __future__ import annotations

import asyncio

import pytest
from deployment_hub import MADE, Hub

from flows.region import ended_if_broken_off
from release.errors import Failed
from tasks import github_deployments
from tasks.github_ends import Begun

BEGUN = Begun("c0ffee", "production-us-east-1", "v1.4.0", {"run": "r"}, 7)


@pytest.fixture
def states(hub: Hub) -> list[str]:
    """The statuses that GitHub was told of deployment 7, in their order."""
    return hub.told


async def test_of_a_run_that_is_cancelled_it_ends_with_error(states: list[str]) -> None:
    inside = asyncio.Event()

    async def region() -> None:
        async with ended_if_broken_off(BEGUN, "http://shop.test"):
            inside.set()
            await asyncio.sleep(60)

    running = asyncio.create_task(region())
    await inside.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert states == ["error"]


async def test_of_a_mistake_of_ours_too_but_an_error_for_a_person_is_told_elsewhere(states: list[str]) -> None:
    with pytest.raises(KeyError):
        async with ended_if_broken_off(BEGUN, "http://shop.test"):
            raise KeyError("ours")
    assert states == ["error"]
    with pytest.raises(Failed):
        async with ended_if_broken_off(BEGUN, "http://shop.test"):
            raise Failed("it crashes", region="us-east-1")
    assert states == ["error"]


async def test_what_a_rate_limit_kept_from_github_is_told_at_the_end_in_its_order(hub: Hub) -> None:
    github_deployments.begin()
    begun = await github_deployments.start.fn("c0ffee", "production-eu", "v1.5.0", {"version": "1.5.0"})
    hub.limited = 1
    await github_deployments.finish.fn(begun, "failure", "it crashes", "http://shop.test")
    asked = hub.asked
    # Its limit is known, and a region that goes back waits for nobody.
    back = await github_deployments.start.fn("c0ffee", "production-eu", "back", {"version": "1.4.0"})
    await github_deployments.finish.fn(back, "success", "back on v1.4.0", "http://shop.test")
    assert (hub.told, hub.asked) == (["8 in_progress"], asked)
    hub.limited = 0
    await github_deployments.tell_again()
    assert hub.told == ["8 in_progress", "8 failure", "9 success"]
    await github_deployments.tell_again()
    assert len(hub.told) == 3


async def test_a_deployment_whose_beginning_was_kept_is_made_once(hub: Hub) -> None:
    github_deployments.begin()
    hub.deployments.append({**MADE, "id": 8, "payload": {"version": "1.4.0"}})
    begun = Begun("c0ffee", "production-eu", "v1.4.0", {"version": "1.4.0"})
    other = Begun("c0ffee", "production-us", "v1.5.0", {"version": "1.5.0"})
    for one in (begun, other):
        await github_deployments.finish.fn(one, "success", "live", "http://shop.test")
    assert (hub.told, len(hub.deployments)) == (["8 success", "9 success"], 2)


async def test_a_newer_deployment_is_not_told_before_an_older_one(hub: Hub) -> None:
    github_deployments.begin()
    begun = await github_deployments.start.fn("c0ffee", "production-eu", "v1.5.0", {"version": "1.5.0"})
    hub.down = True
    await github_deployments.finish.fn(begun, "failure", "it crashes", "http://shop.test")
    hub.down = False
    back = await github_deployments.start.fn("c0ffee", "production-eu", "back", {"version": "1.4.0"})
    await github_deployments.finish.fn(back, "success", "back on v1.4.0", "http://shop.test")
    assert hub.told == ["8 in_progress", "8 failure", "9 success"]


async def test_what_had_gone_live_of_a_version_that_was_taken_back_is_inactive(hub: Hub) -> None:
    where = ("c0ffee", "production-us-east-1")
    for number, digest in ((7, "bad"), (8, "good"), (9, "bad")):
        payload = {"run": f"run-{number}", "digest": f"sha256:{digest}"}
        hub.deployments.append({**MADE, "id": number, "payload": payload})
    hub.failed.add("9")
    await github_deployments.retire.fn(*where, "sha256:bad", "taken back: back on v1.4.0")
    assert hub.told == ["inactive"]
    await github_deployments.retire.fn(*where, "sha256:other", "taken back: back on v1.4.0")
    assert hub.told == ["inactive"]
