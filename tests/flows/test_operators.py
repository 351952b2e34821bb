"""What operators look at changes nothing, and says what is."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from desk import Desk
from look import Look, Regions

from config import load
from tasks import context

pytestmark = pytest.mark.slow


def everything(look: Look) -> dict[str, Any]:
    """Every state of the sandbox: clusters with their Leases, registry, GitHub, Slack, hooks, Prefect's runs."""
    picture = look.picture()
    kept = ("slack", "github", "monitoring", "backups", "deployments")
    return {
        "clusters": look.versions(),
        "registry": asyncio.run(_registry()),
        "prefect": _prefect(),
        **{key: picture[key] for key in kept if key in picture},
    }


async def _registry() -> dict[str, str]:
    async with await context.registry() as registry:
        found = {tag: await registry.manifest(tag) for tag in await registry.tags()}
    return {tag: manifest.digest for tag, manifest in found.items() if manifest is not None}


def _prefect() -> dict[str, Any]:
    api = load.settings().prefect.api
    with httpx.Client(base_url=f"{api}/", timeout=10, trust_env=False) as client:
        return {
            kind: client.post(f"{kind}/count", json={}).raise_for_status().json()
            for kind in ("flow_runs", "task_runs", "flows", "deployments")
        }


@pytest.mark.parametrize("options", [(), ("--strategy", "canary"), ("--region", "eu-west-1", "--json")])
def test_a_plan_changes_nothing(desk: Desk, look: Look, another: str, options: tuple[str, ...]) -> None:
    before = everything(look)
    result = desk.tidegate("plan", another, *options)
    assert everything(look) == before
    assert result.code in (0, 2), result.text
    assert "Traceback" not in result.text
    if "--json" not in options:
        for part in ("Waves: us-east-1", "goes back to:", "Deployment/shop-", "image.digest: sha256:", "approvals"):
            assert part in result.text


def test_a_plan_tells_what_would_be_refused(desk: Desk, look: Look, good: Regions) -> None:
    before = everything(look)
    result = desk.tidegate("plan", "v1.3.0")
    assert result.code == 2
    assert "staging never verified v1.3.0" in result.text
    assert "tidegate stage v1.3.0" in result.text
    assert desk.tidegate("plan", "1.4").code == 2
    assert everything(look) == before


def test_a_plan_says_what_a_time_would_mean(desk: Desk, look: Look, another: str) -> None:
    friday = {"name": "weekend", "start": "2026-01-02T17:00", "duration": "P2DT15H", "rrule": "FREQ=WEEKLY;BYDAY=FR"}
    home = desk.variant(production={"gates": {"freezes": [friday]}})
    shut = desk.tidegate("plan", another, "--at", "2026-11-27T17:05", home=home)
    assert shut.code == 2
    assert "weekend" in shut.text and "until Mon 2026-11-30 08:00 UTC" in shut.text
    early = desk.tidegate("plan", another, "--at", "2026-11-27T16:55", "--json", home=home)
    assert {gate["name"]: gate["ok"] for gate in early.outcome["gates"]}["freeze"] is True
    assert desk.tidegate("plan", another, "--at", "tomorrow").code == 2


def test_status_and_history_tell_what_is_and_what_was(desk: Desk, look: Look, good: Regions) -> None:
    before = everything(look)
    shown = desk.tidegate("status", "--environment", "production", "--json").outcome
    assert {one["region"]: (one["digest"], one["ready"]) for one in shown["regions"]} == good
    assert all(one["slots"] and one["weights"] for one in shown["regions"])
    assert (shown["locks"], shown["running"], shown["waiting"], shown["silent"]) == ([], [], [], "")
    table = desk.tidegate("status")
    assert table.code == 0
    assert all(name in table.text for name in ("staging", "production us-east-1"))
    runs = desk.tidegate("history", "--environment", "production", "--limit", "5", "--json").outcome["runs"]
    assert 0 < len(runs) <= 5
    assert runs == sorted(runs, key=lambda run: run["began"], reverse=True)
    assert {"production", "hotfix", "rollback"} >= {run["pipeline"] for run in runs}
    assert "released" in {run["outcome"] for run in runs}
    assert json.dumps(runs)
    assert desk.tidegate("history", "--environment", "mars").code == 2
    assert everything(look) == before


def test_a_doctor_finds_what_is_wrong_and_changes_nothing(desk: Desk, look: Look, good: Regions) -> None:
    before = everything(look)
    well = desk.tidegate("doctor", "--all")
    assert well.code == 0, well.text
    assert all(part in well.text for part in ("prefect", "role.yaml", "clock", "gateway", "may push"))
    findings = desk.tidegate("doctor", "--json").outcome["findings"]
    assert {one["grade"] for one in findings} <= {"ok", "note"}
    rights = [one for one in findings if one["what"] == "rights"]
    assert len(rights) == 5 and all("role.yaml" in one["detail"] for one in rights)
    wrong = desk.variant(production={"kubernetes_secret": "other-secrets"}, tidegate={"helm": "/nowhere/helm"})
    found = desk.tidegate("doctor", home=wrong)
    assert found.code == 2, found.text
    assert "no Secret other-secrets" in found.text and "/nowhere/helm" in found.text and "Next: " in found.text
    desk.fault("kubernetes", "down", "eu-west-1")
    silent = desk.tidegate("doctor")
    desk.calm()
    assert silent.code == 5, silent.text
    assert "SILENT" in silent.text and "production eu-west-1" in silent.text
    assert everything(look) == before
