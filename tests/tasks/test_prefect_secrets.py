"""A secret that is a Prefect Secret block: asked of the settings' own server, whoever asks."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from release.environment import SecretRef
from release.errors import Refused, Unavailable
from tasks import context

ROOT = Path(__file__).parents[2]
REF = SecretRef("prefect", "api-key")


@asynccontextmanager
async def server(home: Path, values: Mapping[str, object]) -> AsyncIterator[TestServer]:
    """A Prefect server with those Secret blocks, named by the settings in `home`."""

    async def block(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in values:
            return web.json_response({"detail": "Block document not found"}, status=404)
        shown = values[name] if request.query.get("include_secrets") == "true" else "********"
        return web.json_response({"name": name, "data": {"value": shown}})

    app = web.Application()
    app.router.add_get("/api/block_types/slug/secret/block_documents/name/{name}", block)
    async with TestServer(app) as found:
        settings = {
            "prefect": {"api": str(found.make_url("/api"))},
            "registry": {"password": {"env": None, "prefect": "api-key"}},
        }
        (home / "overlay").mkdir()
        (home / "overlay" / "tidegate.yaml").write_text(yaml.safe_dump(settings))
        yield found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    return tmp_path


@pytest.mark.parametrize(
    ("kept", "value"),
    [
        ("s3cret", "s3cret"),
        ('"s3cret"', "s3cret"),
        ("0123", "0123"),
        ("1e5", "1e5"),
        ({"user": "ada"}, '{"user": "ada"}'),
    ],
)
async def test_it_is_read_as_it_was_kept(home: Path, kept: object, value: str) -> None:
    async with server(home, {"api-key": kept}):
        assert await context.resolve(REF, "production.yaml: secrets.API_KEY") == value


async def test_one_that_is_missing_is_refused_by_its_field(home: Path) -> None:
    async with server(home, {}):
        with pytest.raises(Refused, match="the Prefect Secret block api-key is not there") as missing:
            await context.resolve(REF, "registry.password")
    assert missing.value.field == "registry.password"


async def test_a_server_that_is_away_is_unavailable_by_the_secrets_field(home: Path) -> None:
    async with server(home, {}) as found:
        await found.close()
        with pytest.raises(Unavailable, match="the Prefect Secret block api-key") as away:
            await context.resolve(REF, "registry.password")
    assert away.value.field == "registry.password"
    assert "s3cret" not in str(away.value)


async def test_a_command_that_only_looks_is_told_so_in_a_sentence(home: Path) -> None:
    async with server(home, {}) as found:
        await found.close()
        command = [sys.executable, "-m", "deployments.cli", "quarantine", "list"]
        ended = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True
        )
    assert ended.returncode == 5
    assert "registry.password: the secret cannot be read" in ended.stderr
    assert "Traceback" not in ended.stderr
