"""A real Prefect server: what its filters, pages and artifacts really do, and what its engine traces."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from collector import Collector, collecting

from clients.prefect_api import PrefectApi
from clients.prefect_records import Records
from clients.releases import Releases
from clients.store import Store
from deployments.server import PrefectServer
from release.outcome import Outcome, RegionResult
from sandbox.ports import free_port
from tasks.catchup import catch_up

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
NOW = datetime.now(UTC)
# The shape of a release: a run, a region in a subflow of its own inside a task, a step, a call of an outside system.
RELEASE = """
import asyncio
import flows
from prefect import flow, task
from clients.process import run
from tasks.say import say

@task(task_run_name="upgrade {region}")
async def upgrade(region):
    await run(["git", "version"], timeout=10)
    say("is upgraded", region=region)

@flow(name="region", flow_run_name="{region}: 1.4.0")
async def one(region):
    await upgrade(region)

@task(name="region", task_run_name="{region}")
async def in_region(region):
    await one(region)

@flow(name="production", flow_run_name="v1.4.0 by ada")
async def production():
    await asyncio.gather(*(in_region(region) for region in ("us-east-1", "eu-west-1")))

asyncio.run(production())
"""
KNOWN = {"production": ("us-east-1", "eu-west-1")}


class Server:
    """Runs and artifacts, made as Prefect's own client makes them."""

    def __init__(self, api: str) -> None:
        self.api = api
        self._http = httpx.AsyncClient(base_url=f"{api}/", timeout=30, trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._http.post(path, json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def run(self, flow: str, parameters: dict[str, Any] | None = None, parent: str | None = None) -> str:
        found = (await self.post("flows/", {"name": flow}))["id"]
        body = {"flow_id": found, "parameters": parameters or {}, "parent_task_run_id": parent}
        run = (await self.post("flow_runs/", body))["id"]
        await self.state(run, "RUNNING", "Running")
        return str(run)

    async def state(self, run: str, kind: str, name: str) -> None:
        state = {"type": kind, "name": name}
        await self.post(f"flow_runs/{run}/set_state", {"state": state, "force": True})

    async def tell(self, run: str, key: str, data: object) -> str:
        body = {"key": key, "type": "json", "flow_run_id": run, "data": json.dumps(data)}
        return str((await self.post("artifacts/", body))["id"])

    async def update(self, artifact: str, data: object) -> None:
        answer = await self._http.patch(f"artifacts/{artifact}", json={"data": json.dumps(data)})
        assert answer.is_success, answer.text

    async def delete(self, run: str) -> None:
        assert (await self._http.delete(f"flow_runs/{run}")).is_success


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    program = PrefectServer(tmp_path_factory.mktemp("prefect"), free_port())
    try:
        await program.start()
        found = Server(program.api)
        yield found
        await found.close()
    finally:
        await program.stop()


async def test_a_table_is_caught_up_from_it(server: Server, tmp_path: Path) -> None:
    good = Outcome("production", "released", regions=(RegionResult("us-east-1", "released"),), locked=5.0).as_dict()
    runs = []
    for _ in range(5):
        run = await server.run("production", {"actor": "ada", "strategy": "rolling"})
        await server.tell(run, "outcome", good)
        await server.state(run, "COMPLETED", "Released")
        runs.append(run)
    killed = await server.run("production", {"strategy": "rolling"})
    task = (
        await server.post(
            "task_runs/", {"flow_run_id": killed, "task_key": "region", "dynamic_key": "0", "name": "region"}
        )
    )["id"]
    child = await server.run("region", {"region": "eu-west-1"}, parent=task)
    await server.state(child, "CRASHED", "Crashed")
    await server.state(killed, "CRASHED", "Crashed")
    upkeep = await server.run("retire")
    await server.state(upkeep, "COMPLETED", "Completed")
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store, Records(server.api, page=2) as records:
        table = Releases(store)
        assert await catch_up(records, table, KNOWN) == 5, "what has just crashed may go on by itself"
        await server.state(killed, "CANCELLED", "Cancelled")
        assert await catch_up(records, table, KNOWN) == 1
        assert await catch_up(records, table, KNOWN) == 0
        for run in runs[:3]:
            await server.delete(run)
        later = await server.run("production")
        await server.tell(later, "outcome", good)
        await server.state(later, "COMPLETED", "Released")
        assert await catch_up(records, table, KNOWN) == 1
        totals = {total.labels: (total.success, total.failed) for total in (await table.table()).totals}
    assert totals == {
        ("production", "us-east-1", "rolling", "production"): (6, 0),
        ("production", "eu-west-1", "rolling", "production"): (0, 1),
    }


async def test_what_is_under_way_is_read_from_it(server: Server) -> None:
    run = await server.run("hotfix", {"severity": "critical"})
    artifact = await server.tell(run, "live-production-us-east-1", {"run": run, "against": 1.0})
    await server.update(artifact, {"run": run, "against": 2.0})
    waiting = await server.run("production")
    await server.state(waiting, "PAUSED", "AwaitingApproval")
    async with Records(server.api) as records:
        found = await records.run(run)
        assert found is not None
        assert (found.pipeline, found.parameters, found.state) == ("hotfix", {"severity": "critical"}, "Running")
        assert {"run": run, "against": 2.0} in await records.courses()
        [(one, since)] = await records.waiting("AwaitingApproval")
        assert (one.id, one.pipeline) == (waiting, "production")
        assert NOW <= since <= datetime.now(UTC)
        assert await records.run("00000000-0000-0000-0000-000000000000") is None
        assert await records.regions_of(run) == ()


async def test_the_report_counts_what_nobody_has_read_yet(server: Server, tmp_path: Path) -> None:
    run, told = await server.run("production"), Outcome("production", "released", "1.8.0").as_dict()
    await server.tell(run, "outcome", told)
    await server.state(run, "COMPLETED", "Released")
    database = f"sqlite:///{tmp_path / 'store.db'}"
    where = {"PREFECT_API_URL": server.api, "TIDEGATE_HOME": str(tmp_path), "TIDEGATE__DATABASE__URL__ENV": "WHERE"}
    code = "import asyncio; from flows.report import report; print(asyncio.run(report(7, 'ada')))"
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=os.environ | where | {"WHERE": database}, stdout=pipe, stderr=pipe
    )
    out, err = await asyncio.wait_for(program.communicate(), 90)
    assert program.returncode == 0, err.decode()
    assert "Deployment frequency" in out.decode()
    async with Store(database) as store:
        assert (await Releases(store).table()).runs["production", "production", "released"] >= 1


async def test_a_run_that_breaks_off_by_an_error_of_ours_is_halted(server: Server, tmp_path: Path) -> None:
    code = """
import asyncio
from prefect import flow
from flows.conclude import conclude
from release.outcome import Outcome

async def body(draft):
    draft.begun = True
    raise RuntimeError("a mistake of ours")

async def telling(outcome):
    pass

@flow(name="production")
async def production():
    return await conclude(Outcome("production", "refused", "1.9.0", "canary"), body, telling)

asyncio.run(production())
"""
    told = {"PREFECT_API_URL": server.api, "TIDEGATE_HOME": str(tmp_path)}
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=os.environ | told, stderr=pipe)
    _, err = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode == 1, err.decode()
    assert "a mistake of ours" in err.decode()
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store, Records(server.api) as records:
        table = Releases(store)
        await catch_up(records, table, KNOWN)
        found = await table.table()
    assert found.halted == {"production"}
    assert found.runs["production", "production", "halted"] == 1


async def released(server: Server, collector: Collector) -> str:
    """Run the release, traced and with its lines as JSON; what it wrote to stderr."""
    told = {"PREFECT_API_URL": server.api, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "TIDEGATE_LOG_JSON": "1"}
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RELEASE, env=os.environ | told, stdout=pipe, stderr=pipe
    )
    _, err = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode == 0, err.decode()
    return err.decode()


async def test_a_release_is_one_trace_and_its_lines_are_json(server: Server) -> None:
    with collecting() as collector:
        text = await released(server, collector)
        assert len({span.trace_id for span in collector.spans}) == 1
        paths = [collector.path(span) for span in collector.spans if span.name == "git version"]
        assert collector.metrics == {"tidegate.duration"}
        measured = [(one["region"], one["step"], one["kind"], one["system"]) for _, one in collector.points]
    root = "v1.4.0 by ada"
    for region in ("us-east-1", "eu-west-1"):
        assert [root, region, f"{region}: 1.4.0", f"upgrade {region}", "git version"] in paths
        assert {(region, "upgrade", "task", ""), (region, "upgrade", "call", "git")} <= set(measured)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    said = [line for line in lines if line["message"].endswith("is upgraded")]
    assert {(line["region"], line["step"]) for line in said} == {
        (region, f"upgrade {region}") for region in ("us-east-1", "eu-west-1")
    }
    assert len({line["run"] for line in said}) == 1
    assert said[0]["run"]


async def test_a_secret_block_is_read_as_prefects_own_client_saved_it(server: Server) -> None:
    script = "import sys; from prefect.blocks.system import Secret; Secret(value=sys.argv[1]).save('api-key')"
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, "s3cret", env={**os.environ, "PREFECT_API_URL": server.api}
    )
    assert await program.wait() == 0
    async with PrefectApi(server.api) as prefect:
        assert await prefect.secret("api-key") == "s3cret"
        assert await prefect.secret("another") is None
