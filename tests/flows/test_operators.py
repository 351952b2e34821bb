"""What operators look at changes nothing, and says what is."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from desk import Desk
from look import Look, Regions

from clients.tables import METADATA
from config import load
from sandbox.shop.fastimport import git
from tasks import context
from tasks.ballot import required_store

pytestmark = pytest.mark.slow
AT = ("--at", "2026-11-27T17:05")


def everything(look: Look, desk: Desk) -> dict[str, Any]:
    """Every state of the sandbox: clusters with their Leases, registry, git, GitHub, Slack, hooks, Tidegate's own
    database, and what Prefect keeps."""
    picture = look.picture()
    return {
        "clusters": look.versions(),
        "registry": asyncio.run(_registry()),
        "git": git(desk.bare, "for-each-ref"),
        "github": look.github(),
        "database": asyncio.run(_rows()),
        "prefect": _prefect(),
        **{key: picture[key] for key in ("slack", "monitoring", "backups", "deployments")},
    }


async def _registry() -> dict[str, str]:
    async with await context.registry() as registry:
        found = {tag: await registry.manifest(tag) for tag in await registry.tags()}
    return {tag: manifest.digest for tag, manifest in found.items() if manifest is not None}


async def _rows() -> dict[str, list[str]]:
    async with await required_store() as store, store.begin() as connection:
        return {
            table.name: sorted(map(str, await connection.execute(table.select()))) for table in METADATA.sorted_tables
        }


def _prefect() -> dict[str, Any]:
    with httpx.Client(base_url=f"{load.settings().prefect.api}/", timeout=10, trust_env=False) as client:

        def every(kind: str, *fields: str) -> list[list[Any]]:
            found: list[dict[str, Any]] = []
            while len(found) % 200 == 0:
                more = client.post(f"{kind}/filter", json={"limit": 200, "offset": len(found)}).raise_for_status()
                if not more.json():
                    break
                found += more.json()
            # What a schedule makes ahead comes by itself.
            return sorted([one[field] for field in fields] for one in found if not one.get("auto_scheduled"))

        return {
            "runs": every("flow_runs", "id", "state_id", "state_name"),
            "artifacts": every("artifacts", "id", "updated"),
            "automations": every("automations", "id", "name", "enabled"),
            "deployments": every("deployments", "id", "name", "paused", "version"),
            "tasks": client.post("task_runs/count", json={}).raise_for_status().json(),
        }


@pytest.mark.parametrize("options", [(), ("--strategy", "canary"), ("--region", "eu-west-1", "--json"), AT])
def test_a_plan_changes_nothing(desk: Desk, look: Look, another: str, options: tuple[str, ...]) -> None:
    before = everything(look, desk)
    result = desk.tidegate("plan", another, *options)
    assert everything(look, desk) == before
    assert result.code in (0, 2), result.text
    assert "Traceback" not in result.text
    if "--json" not in options:
        for part in ("Waves: us-east-1", "goes back to:", "Deployment/shop-", "image.digest: sha256:", "approvals"):
            assert part in result.text


def test_a_plan_tells_what_would_be_refused(desk: Desk, look: Look, good: Regions) -> None:
    before = everything(look, desk)
    result = desk.tidegate("plan", "v1.3.0")
    assert result.code == 2
    assert "staging never verified v1.3.0" in result.text
    assert "tidegate stage v1.3.0" in result.text
    assert desk.tidegate("plan", "1.4").code == 2
    assert everything(look, desk) == before


def test_status_and_history_tell_what_is_and_what_was(desk: Desk, look: Look, good: Regions) -> None:
    before, began = everything(look, desk), datetime.now(UTC).isoformat()
    shown = desk.tidegate("status", "--environment", "production", "--json").outcome
    assert {one["region"]: (one["digest"], one["ready"]) for one in shown["regions"]} == good
    assert all(one["slots"] and one["weights"] for one in shown["regions"])
    assert (shown["locks"], shown["silent"]) == ([], "")
    # Commands that other tests killed are still shown as they were.
    assert [run for run in (*shown["running"], *shown["waiting"]) if run["began"] > began] == []
    table = desk.tidegate("status")
    assert table.code == 0
    assert all(name in table.text for name in ("staging", "production us-east-1"))
    runs = desk.tidegate("history", "--environment", "production", "--limit", "20", "--json").outcome["runs"]
    assert 0 < len(runs) <= 20
    assert runs == sorted(runs, key=lambda run: run["began"], reverse=True)
    assert {"production", "hotfix", "rollback"} >= {run["pipeline"] for run in runs}
    assert "released" in {run["outcome"] for run in runs}
    assert json.dumps(runs)
    assert desk.tidegate("history", "--environment", "mars").code == 2
    assert everything(look, desk) == before


def test_the_doctor_finds_a_sandbox_well_and_changes_nothing(desk: Desk, look: Look, good: Regions) -> None:
    before = everything(look, desk)
    result = desk.tidegate("doctor", "--json")
    assert everything(look, desk) == before
    bad = [one for one in result.outcome["findings"] if one["grade"] in ("wrong", "silent")]
    assert (result.code, bad) == (0, []), result.text
    seen = {one["about"] for one in result.outcome["findings"]}
    assert {"prefect", "git", "registry", "helm", "github", "slack", "production eu-west-1"} <= seen
    (called,) = [one for one in result.outcome["findings"] if one["what"] == "on call"]
    assert (called["grade"], "slack.on_call" in called["mend"]) == ("note", True), "the sandbox has nobody on call"


def test_the_doctor_names_what_does_not_answer_and_how_to_mend_it(desk: Desk, look: Look, good: Regions) -> None:
    desk.fault("registry", "down")
    desk.fault("kubernetes", "down", "eu-west-1")
    result = desk.tidegate("doctor")
    assert result.code == 5, result.text
    assert "Next: registry, " in result.text
    assert "Next: production eu-west-1, " in result.text
    assert "Next: production us-east-1, " not in result.text
    secrets = [path.read_text().strip() for path in (desk.home / "sandbox" / "secrets").iterdir()]
    assert not [one for one in secrets if len(one) > 7 and one in result.text]
