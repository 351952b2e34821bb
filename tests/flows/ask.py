"""What Prefect, GitHub and the registry keep of a run, asked over their own APIs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
from waiting import until

from config import load
from tasks import context


def artifacts(run: str) -> dict[str, Any]:
    """Key -> the newest content of the run's artifacts: a table's rows, or Markdown."""
    found = _prefect("artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}, "sort": "CREATED_DESC"})
    found.reverse()
    return {one["key"]: json.loads(one["data"]) if one["type"] == "table" else one["data"] for one in found}


def newest(key: str) -> dict[str, Any]:
    """The newest JSON that any run left under a key."""
    (found,) = _prefect("artifacts/latest/filter", {"artifacts": {"key": {"any_": [key]}}})
    return dict(json.loads(found["data"]))


def tasks(run: str) -> dict[str, dict[str, Any]]:
    """Name -> task run, of an ended run's own tasks: Prefect's recorder is a moment behind the run."""

    def ended() -> list[dict[str, Any]]:
        found = _prefect("task_runs/filter", {"task_runs": {"flow_run_id": {"any_": [run]}}})
        return found if all(one["end_time"] for one in found) else []

    return {one["name"]: one for one in until(ended, 15)}


def log(run: str) -> list[str]:
    """Every line of the run's log."""
    body = {"logs": {"flow_run_id": {"any_": [run]}}, "limit": 200, "sort": "TIMESTAMP_ASC"}
    return [one["message"] for one in _prefect("logs/filter", body)]


def fetched(run: str, tag: str) -> bool:
    """Whether the engine fetched the image of that tag, to take its layers."""
    return any(line.startswith("Status: ") and line.endswith(f":{tag}") for line in log(run))


def statuses(commit: str) -> list[dict[str, Any]]:
    """GitHub's statuses of a commit, oldest first."""
    return list(reversed(github("GET", f"commits/{commit}/statuses")))


def addresses(commit: str) -> dict[str, str]:
    """GitHub's environment -> the address that its newest deployment of the commit ended with."""
    found = {}
    for one in sorted(github("GET", f"deployments?sha={commit}"), key=lambda one: int(one["id"])):
        newest = github("GET", f"deployments/{one['id']}/statuses")[0]
        found[one["environment"]] = newest["environment_url"]
    return found


def failures(commit: str) -> list[str]:
    """What GitHub's failed deployments of the commit say."""
    found = github("GET", f"deployments?sha={commit}")
    told = [status for one in found for status in github("GET", f"deployments/{one['id']}/statuses")]
    return [one["description"] for one in told if one["state"] == "failure"]


def github(method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """An answer of the simulated GitHub."""
    settings = load.settings()
    assert settings.github.token is not None
    assert settings.github.token.file is not None
    headers = {"Authorization": f"Bearer {settings.github.token.file.read_text()}"}
    url = f"{settings.github.url}/repos/{settings.application.github}/{path}"
    answer = httpx.request(method, url, json=body, headers=headers, timeout=10, trust_env=False)
    return answer.raise_for_status().json()


def image(tag: str) -> tuple[str, Mapping[str, str]] | None:
    """Digest and labels of an image, None where there is none."""
    return asyncio.run(_image(tag))


async def _image(tag: str) -> tuple[str, Mapping[str, str]] | None:
    async with await context.registry() as registry:
        manifest = await registry.manifest(tag)
        return None if manifest is None else (manifest.digest, await registry.labels(manifest.digest))


def _prefect(path: str, body: Mapping[str, Any]) -> Any:
    url = f"{load.settings().prefect.api}/{path}"
    return httpx.post(url, json=body, timeout=10, trust_env=False).raise_for_status().json()


def whole(beginning: str) -> str:
    """The id of the run that begins so."""
    found = _prefect("flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC", "limit": 100})
    return next(str(one["id"]) for one in found if one["id"].startswith(beginning))


def resume(run: str, form: Mapping[str, str]) -> str:
    """What Prefect's page does with a filled-in form: ACCEPT, or REJECT where the form is not filled in."""
    return str(_prefect(f"flow_runs/{run}/resume", {"run_input": dict(form)})["status"])
