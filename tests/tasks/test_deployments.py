"""A GitHub deployment never stays in progress, however its run ends, nor a success once it was taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from prefect.logging import disable_run_logger

from flows.region import ended_if_broken_off
from release.errors import Failed
from tasks import notify


@pytest.fixture
async def states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """The statuses that GitHub was told, in their order."""
    told: list[str] = []

    async def status(request: web.Request) -> web.Response:
        told.append((await request.json())["state"])
        return web.json_response({"id": 1, "state": told[-1]}, status=201)

    app = web.Application()

    async def deployments(request: web.Request) -> web.Response:
        assert dict(request.query).items() >= {"ref": "c0ffee", "environment": "production-us-east-1"}.items()
        return web.json_response(
            [_deployment(number, digest) for number, digest in ((9, "bad"), (8, "good"), (7, "bad"))]
        )

    async def newest(request: web.Request) -> web.Response:
        return web.json_response([{"state": "failure" if request.match_info["number"] == "9" else "success"}])

    app.router.add_post("/{path:.*}/deployments/7/statuses", status)
    app.router.add_get("/{path:.*}/deployments", deployments)
    app.router.add_get(r"/{path:.*}/deployments/{number:\d+}/statuses", newest)
    async with TestServer(app) as server:
        monkeypatch.setenv("T0KEN", "t0ken")
        (tmp_path / "overlay").mkdir()
        github = {"url": str(server.make_url("")), "token": {"env": "T0KEN"}}
        (tmp_path / "overlay" / "tidegate.yaml").write_text(yaml.safe_dump({"github": github}))
        monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
        with disable_run_logger():
            yield told


async def test_of_a_run_that_is_cancelled_it_ends_with_error(states: list[str]) -> None:
    inside = asyncio.Event()

    async def region() -> None:
        async with ended_if_broken_off(7, "http://shop.test"):
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
        async with ended_if_broken_off(7, "http://shop.test"):
            raise KeyError("ours")
    assert states == ["error"]
    with pytest.raises(Failed):
        async with ended_if_broken_off(7, "http://shop.test"):
            raise Failed("it crashes", region="us-east-1")
    assert states == ["error"]


async def test_what_had_gone_live_of_a_version_that_was_taken_back_is_inactive(states: list[str]) -> None:
    where = ("c0ffee", "production-us-east-1")
    await notify.retire_deployments.fn(*where, "sha256:bad", "taken back: back on v1.4.0")
    assert states == ["inactive"]
    await notify.retire_deployments.fn(*where, "sha256:other", "taken back: back on v1.4.0")
    assert states == ["inactive"]


def _deployment(number: int, digest: str) -> dict[str, object]:
    named = {"environment": "production-us-east-1", "ref": "c0ffee", "sha": "c0ffee"}
    return {"id": number, **named, "payload": {"run": f"run-{number}", "digest": f"sha256:{digest}"}}
