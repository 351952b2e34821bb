"""The composed sandbox in this process: what it tells the settings, and what its control API changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from clients.git import Repository
from clients.process import run
from clients.registry import Registry
from config import load
from sandbox import state
from sandbox.options import Options
from sandbox.supervisor import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory, machine_cache: Path) -> AsyncIterator[Sandbox]:
    home = tmp_path_factory.mktemp("home")
    options = Options(speed=10, regions=4, users=5, prefect=False, engine=False)
    async with Sandbox(home, machine_cache, options) as running:
        yield running
    assert not (home / "overlay").exists()


@pytest.fixture
def settings(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TIDEGATE_HOME", str(sandbox.home))
    return load.settings()


@pytest_asyncio.fixture(loop_scope="module")
async def control(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.control_url, trust_env=False) as http:
        yield http
        await http.delete("/api/faults")


async def test_the_settings_name_what_runs(sandbox: Sandbox, settings: Any, tmp_path: Path) -> None:
    assert (settings.target, settings.speed, settings.engine.builder) == ("sandbox", 10, "archive")
    production = load.environment("production")
    assert list(production.regions) == ["us-east-1", "eu-west-1", "ap-southeast-1", "us-west-2"]
    assert production.waves == (("us-east-1",), ("eu-west-1", "ap-southeast-1", "us-west-2"))
    repository = await Repository.open(settings.application.git, tmp_path / "mirror")
    assert len(await repository.commit_of("v1.4.0")) == 40
    password = Path(settings.registry.password.ref().name).read_text()
    async with Registry(settings.registry.url, "shop", username="tidegate", password=password) as registry:
        assert await registry.manifest("v9.9.9") is None


async def test_each_context_reaches_its_own_namespace_only(sandbox: Sandbox, settings: Any) -> None:
    async def kubectl(*arguments: str) -> Any:
        command = [str(sandbox.kubectl), "--kubeconfig", str(settings.kubeconfig), *arguments]
        return await run(command, timeout=60)

    own = await kubectl("--context", "production-us-west-2", "get", "secrets", "-o", "name")
    assert "shop-secrets" in own.stdout
    other = await kubectl("--context", "production-us-west-2", "-n", "staging", "get", "secrets")
    assert "forbidden" in other.stderr


async def test_a_fault_hits_one_region_and_is_shown(sandbox: Sandbox, control: httpx.AsyncClient) -> None:
    assert (await control.put("/api/faults", json={"name": "gateway", "mode": "500", "region": "eu-west-1"})).is_success
    addresses = {place.name: place.address().address for place in sandbox.places}
    async with httpx.AsyncClient(trust_env=False) as user:
        assert (await user.get(f"{addresses['eu-west-1']}/health")).status_code == 500
        assert (await user.get(f"{addresses['us-east-1']}/health")).status_code == 404
    shown = (await control.get("/api/state")).json()["faults"]
    assert shown == [{"name": "gateway", "region": "eu-west-1", "mode": "500", "remaining": None}]
    await control.delete("/api/faults")
    assert (await control.get("/api/state")).json()["faults"] == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/faults", {"name": "github", "mode": "asleep"}, "mode"),
        ("/api/faults", {"name": "mail", "mode": "down"}, "name"),
        ("/api/faults", {"name": "kubernetes", "mode": "down", "region": "mars"}, "region"),
        ("/api/faults", {"mode": "down"}, "name"),
        ("/api/faults", [1], "body"),
        ("/api/traffic", {"rate": -1}, "rate"),
        ("/api/traffic", {"split": "sticky"}, "split"),
        ("/api/behaviour", {"version": "1.5.0", "fields": {"colour": "red"}}, "fields"),
        ("/api/behaviour", {"version": "1.5.0", "fields": {"error_rate": 2}}, "error_rate"),
    ],
)
async def test_a_wrong_change_is_refused_by_name(control: httpx.AsyncClient, path: str, body: Any, field: str) -> None:
    answer = await control.put(path, json=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


async def test_traffic_and_behaviour_change_while_it_runs(sandbox: Sandbox, control: httpx.AsyncClient) -> None:
    assert (await control.put("/api/traffic", json={"rate": 7, "split": "random", "lag": 0.1})).is_success
    changed = {"version": "1.7.0", "region": "us-east-1", "fields": {"error_rate": 0.5}}
    assert (await control.put("/api/behaviour", json=changed)).is_success
    shown = (await control.get("/api/state")).json()
    assert shown["traffic"] == {"rate": 7, "lag": 0.1}
    assert shown["behaviour"] == [changed]
    assert (await control.put("/api/behaviour", json={**changed, "fields": {}})).is_success
    assert sandbox.world.overrides == {}


async def test_the_page_is_whole_and_told_every_second(sandbox: Sandbox, control: httpx.AsyncClient) -> None:
    page = await control.get("/")
    assert "SIMULATED" in page.text
    assert "https://" not in page.text
    assert (await control.get("/ready")).json() == {"ready": True}
    pictures = []
    async with asyncio.timeout(10), control.stream("GET", "/api/events") as events:
        async for line in events.aiter_lines():
            if line.startswith("data: "):
                pictures.append(json.loads(line[6:]))
            if len(pictures) == 2:
                break
    assert 0.5 < pictures[1]["now"] - pictures[0]["now"] < 5
    assert [region["name"] for region in pictures[0]["regions"]][:2] == ["development", "staging"]


async def test_messages_and_deployments_reach_the_page(
    sandbox: Sandbox, settings: Any, control: httpx.AsyncClient
) -> None:
    hook = Path(settings.slack.webhooks["releases"].ref().name).read_text()
    token = Path(settings.github.token.ref().name).read_text()
    wanted = {"ref": "v1.4.0", "environment": "staging", "auto_merge": False, "required_contexts": []}
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as http:
        posted = await http.post(hook, json={"text": "v1.4.0 is live"}, headers={"Authorization": ""})
        assert posted.text == "ok"
        address = f"{settings.github.url}/repos/{settings.application.github}/deployments"
        assert (await http.post(address, json=wanted)).status_code == 201
    shown = (await control.get("/api/state")).json()
    assert shown["slack"][-1]["text"] == "v1.4.0 is live"
    assert (shown["deployments"][-1]["environment"], shown["deployments"][-1]["ref"]) == ("staging", "v1.4.0")


async def test_nothing_is_recorded_that_does_not_run(sandbox: Sandbox) -> None:
    found = state.read(sandbox.home)
    assert found is not None
    assert all(state.alive(process) for process in found.processes)
