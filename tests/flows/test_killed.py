"""A release that was killed anywhere is started again, and goes on to its end, or goes on going back."""

from __future__ import annotations

import asyncio
import time

import pytest
from desk import PODS, Desk, only, release
from kubernetes.aio import client
from look import Look, Regions

from config import load
from sandbox.admin import Admin
from sandbox.shop.fastimport import git
from tasks import context

pytestmark = pytest.mark.slow
# The second run waits until the first one's lock lapsed.
SHORT = {"lock": {"lease_s": 10}}


@pytest.mark.parametrize("moment", ["wave: us-east-1", "us-east-1: shop-blue is being upgraded", "wave: eu-west-1"])
def test_a_killed_release_goes_on_to_its_end(desk: Desk, look: Look, another: str, moment: str) -> None:
    home = desk.variant(production=SHORT)
    with desk.start(*release(another), home=home) as first:
        first.until(moment)
        first.kill()
    run = desk.under_way()
    result = desk.tidegate(*release(another, "--wait"), home=home)
    assert (result.code, result.word) == (0, "released"), result.text
    assert run not in {one["id"][:8] for one in desk.tidegate("status", "--json").outcome["running"]}
    assert {(one["version"], one["ready"]) for one in look.live().values()} == {(another.removeprefix("v"), PODS)}
    assert "deployed" in look.live()["us-east-1"]["helm"]


def test_a_release_killed_after_its_last_step_is_ended_as_released(desk: Desk, look: Look, another: str) -> None:
    home, version = desk.variant(production={**SHORT, "maintenance": {"mode": "banner"}}), another.removeprefix("v")
    command = release(another, *only("us-east-1"))
    with desk.start(*command, home=home) as first:
        first.until("wave: us-east-1")
        desk.fault("github", "slow")
        first.until(lambda: asyncio.run(recorded("us-east-1")) == version)
        first.kill()
    desk.calm()
    commit = git(desk.bare, "rev-parse", another + "^{commit}").strip()
    assert look.deployments(commit)["production-us-east-1"][-1] == "in_progress"
    result = desk.tidegate(*command, "--wait", home=home)
    assert (result.code, result.word) == (0, "released"), result.text
    assert "ended after its last step" in result.text
    assert "maintenance mode is off" in result.text
    assert look.deployments(commit)["production-us-east-1"][-1] == "success"
    assert f"{another} is live in production" in look.slack("releases")[-1]
    assert desk.tidegate(*command, home=home).word == "unchanged"


def test_a_helm_killed_in_mid_upgrade_is_cleared(desk: Desk, look: Look, another: str) -> None:
    home = desk.variant(production=SHORT)
    with desk.start(*release(another), home=home) as first:
        first.until("wave: us-east-1")
        # Half a second for each answer keeps helm in the middle.
        desk.fault("kubernetes", "slow", "us-east-1")
        asyncio.run(pending(look.admin(), "us-east-1"))
        first.kill()
    desk.calm()
    assert "pending-upgrade" in look.live()["us-east-1"]["helm"]
    result = desk.tidegate(*release(another, "--wait"), home=home)
    assert (result.code, result.word) == (0, "released"), result.text
    assert "cleared an operation of shop-blue that a killed run had left pending" in result.text
    assert {(one["version"], one["ready"]) for one in look.live().values()} == {(another.removeprefix("v"), PODS)}


@pytest.mark.parametrize("moment", ["eu-west-1: going back", "us-east-1: going back"])
def test_a_release_killed_on_its_way_back_goes_on_going_back(
    desk: Desk, look: Look, good: Regions, another: str, moment: str
) -> None:
    home = desk.variant(production=SHORT)
    desk.behave(another.removeprefix("v"), "eu-west-1", crashes=True)
    command = release(another, *only("us-east-1", "eu-west-1"))
    with desk.start(*command, home=home) as first:
        first.until(moment)
        first.kill()
    result = desk.tidegate(*command, "--wait", home=home)
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert "goes on taking" in result.text
    assert "CrashLoopBackOff" in result.reason
    look.back_on(good, "us-east-1", "eu-west-1")


def test_another_release_is_refused_over_an_unfinished_way_back(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    home = desk.variant(production={**SHORT, "values": {"podAnnotations": {"changed": "yes"}}})
    live = look.live()["us-east-1"]["version"]
    desk.behave(another.removeprefix("v"), "us-east-1", crashes=True)
    with desk.start(*release(another), home=home) as first:
        first.until("us-east-1: going back")
        first.kill()
    result = desk.tidegate(*release(f"v{live}", "--wait"), home=home)
    assert (result.code, result.word) == (2, "refused"), result.text
    assert f"production {another} was being taken back when its run died" in result.reason
    assert desk.tidegate(*release(another, "--wait"), home=home).word == "recovered"
    look.back_on(good, "us-east-1")


async def recorded(region: str) -> str:
    """The version that the region's route says is live."""
    place = load.environment("production").regions[region]
    async with context.cluster(place) as cluster:
        route = (await cluster.observe(load.settings().application.name, region)).route
    return route.live.artifact.version if route and route.live else ""


async def pending(admin: Admin, region: str) -> None:
    """Returns while helm is in the middle of an upgrade there."""
    place = load.environment("production").regions[region]
    deadline = time.monotonic() + 60
    async with admin.client() as api:
        core = client.CoreV1Api(api)
        while True:
            found = await core.list_namespaced_secret(
                place.namespace, label_selector="owner=helm,status=pending-upgrade"
            )
            if found.items:
                return
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
