"""GitHub's events, as the simulated one sends them over HTTP, at the real service: which of them ask for a run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_prefect_api import FakePrefectApi
from github_world import NAME, PERSON, SECRET, World, commit, git, new_world
from overuvicorn import served

from clients.deliveries import Deliveries, Delivery
from clients.github_hooks import Hooks
from clients.store import Store
from deployments.service.app import Health, application
from deployments.service.forwarder import Forwarder
from deployments.service.limits import Buckets
from deployments.service.missed import Finder
from deployments.service.webhook import PATH, Inbox, router
from release.hotfix_messages import Fix, merge_message
from release.model import Artifact
from release.triggers import Source
from sandbox.ports import free_port

SOURCE = Source(NAME, "main")


@dataclass
class Service:
    world: World
    deliveries: Deliveries
    port: int

    async def push(self, refs: str, login: str = "ada") -> None:
        git(self.world.work, "push", "-q", "origin", *refs.split())
        await self.world.github.refs_changed(login)
        await self.world.github.settled()

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """What a person does on GitHub's pages."""
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {PERSON}"}, trust_env=False) as http:
            answer = await http.post(f"{self.world.github.url}/repos/{NAME}/{path}", json=body)
        await self.world.github.settled()
        return answer.raise_for_status().json()

    async def asked(self) -> list[Delivery]:
        return await self.deliveries.waiting()

    def answers(self) -> list[int]:
        return [attempt.status for one in self.world.github.deliveries for attempt in one.attempts]


@pytest.fixture
async def stopped(tmp_path: Path) -> AsyncIterator[Service]:
    """GitHub sends its events there, and nothing listens."""
    async with new_world(tmp_path) as world, Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        port = free_port()
        world.github.send_events_to(f"http://127.0.0.1:{port}{PATH}", SECRET)
        yield Service(world, Deliveries(store), port)


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[None]:
    async def no_prefect() -> bool:
        return False

    inbox = Inbox(SECRET.encode(), SOURCE, service.deliveries, 5_000_000, lambda: None)
    app = application([router(inbox)], Health(lambda: service.deliveries.counts(0), no_prefect), Buckets(1000, 1000))
    async with served(app, service.port):
        yield


@pytest.fixture
async def service(stopped: Service) -> AsyncIterator[Service]:
    async with serving(stopped):
        yield stopped


async def test_a_push_to_main_asks_for_staging_and_a_tag_for_nothing(service: Service) -> None:
    commit(service.world.work, "a.txt", "a\n", "feat: a")
    git(service.world.work, "tag", "v1.1.0")
    await service.push("main v1.1.0")
    (asked,) = await service.asked()
    assert (asked.pipeline, asked.parameters["ref"], asked.parameters["actor"]) == ("staging", "main", "ada")
    assert sorted(service.answers()) == [200, 202]


async def test_a_published_release_asks_for_production_once(service: Service) -> None:
    body = "Notes.\n\nstrategy: canary"
    draft = await service.post("releases", {"tag_name": "v1.0.0", "body": body, "draft": True})
    assert await service.asked() == []
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {PERSON}"}, trust_env=False) as http:
        url = f"{service.world.github.url}/repos/{NAME}/releases/{draft['id']}"
        (await http.patch(url, json={"draft": False})).raise_for_status()
    await service.world.github.settled()
    (asked,) = await service.asked()
    assert asked.pipeline == "production"
    assert {name: asked.parameters[name] for name in ("tag", "strategy", "actor")} == {
        "tag": "v1.0.0",
        "strategy": "canary",
        "actor": "ada",
    }
    service.world.github.redeliver(asked.id)
    await service.world.github.settled()
    assert len(await service.asked()) == 1


async def test_pull_requests_and_branches_share_a_line(service: Service) -> None:
    git(service.world.work, "checkout", "-qb", "feature/x")
    commit(service.world.work, "x.txt", "x\n", "feat: x")
    await service.push("feature/x")
    await service.post("pulls", {"title": "X", "head": "feature/x", "base": "develop"})
    (asked,) = await service.asked()
    assert (asked.event, asked.parameters["pull"]) == ("pull_request", 1), "the newer of the two takes the place"
    commit(service.world.work, "x.txt", "y\n", "feat: y")
    await service.push("feature/x")
    assert len(await service.asked()) == 1


async def test_what_a_hotfix_leaves_behind_asks_for_nothing(service: Service) -> None:
    fix = Fix("hotfix/cart", "critical", Artifact("1.0.1", "sha256:" + "a" * 64, "b" * 40), "0f9d")
    async with service.world.client() as github:
        merged = await github.merge("main", "hotfix/cart", merge_message(fix, "hotfix/cart", "main"))
        assert merged.outcome == "merged"
        await github.merge("develop", "main", merge_message(fix, "main", "develop"))
    await service.world.github.settled()
    assert await service.asked() == []
    assert service.answers() == [200, 200]


async def test_the_same_push_made_twice_is_two_pushes(service: Service) -> None:
    first = git(service.world.work, "rev-parse", "main~1")
    for ref in (f"+{first}:refs/heads/feature/back", "main:refs/heads/feature/back"):
        await service.push(ref)
    digests = {one.digest for one in await service.asked()}
    assert len(digests) == 1
    assert [one for one in service.answers() if one == 202] == [202, 202]


async def started(service: Service) -> list[str]:
    """The pipelines that all deliveries start, asked for twice."""
    prefect = FakePrefectApi("development", "staging", "production")

    async def tell(_: str) -> None:
        return

    async with Hooks(service.world.github.url, PERSON, NAME) as github, prefect.client() as runs:
        finder = Finder(service.deliveries, github, SOURCE, 0)
        for _ in range(2):
            assert await finder.look(time.time()) is False
            await service.world.github.settled()
            await Forwarder(service.deliveries, runs, tell).forward()
    return [run["deployment_id"].removeprefix("deployment-") for run in prefect.runs.values()]


async def test_what_was_pushed_while_the_service_was_down_starts_once_when_it_is_back(stopped: Service) -> None:
    commit(stopped.world.work, "a.txt", "a\n", "feat: a")
    await stopped.push("main")
    commit(stopped.world.work, "a.txt", "b\n", "feat: b")
    await stopped.push("main HEAD:refs/heads/other")
    await stopped.post("releases", {"tag_name": "v1.0.0", "body": "Notes"})
    assert stopped.answers() == [0] * 6
    async with serving(stopped):
        assert sorted(await started(stopped)) == ["production", "staging"]
    assert sorted(stopped.answers()) == [0] * 6 + [202, 202], "asked for once, and not what starts nothing"


async def test_a_missed_push_is_left_alone_where_a_newer_one_of_its_branch_came(stopped: Service) -> None:
    commit(stopped.world.work, "a.txt", "a\n", "feat: a")
    await stopped.push("main")
    async with serving(stopped):
        commit(stopped.world.work, "a.txt", "b\n", "feat: b")
        await stopped.push("main")
        assert await started(stopped) == ["staging"]
    assert stopped.answers() == [0, 202]
