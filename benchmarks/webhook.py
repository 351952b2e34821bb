"""How soon a delivery of GitHub's is acknowledged, with Prefect up, hanging and gone, beside a bare request.

python -m benchmarks.webhook [DELIVERIES]
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from statistics import quantiles

import httpx
import yaml

from config import load
from deployments.server import ADDRESS_FILE, PrefectServer
from deployments.service.webhook import PATH
from sandbox.ports import free_port

BOUND_MS = 50.0
WARM = 20
PIPELINE = "development"
Ask = Callable[[], Awaitable[httpx.Response]]


def configure(folder: Path, server: PrefectServer, port: int) -> dict[str, str]:
    """A configuration of its own, as files; the environment that names it."""
    config = folder / "config"
    config.mkdir()
    for path in load.folder().glob("*.yaml"):
        (config / path.name).write_text(path.read_text())
    settings = yaml.safe_load((config / "tidegate.yaml").read_text())
    settings["database"] = {"url": {"file": str(server.folder / ADDRESS_FILE)}}
    settings["prefect"] = {"api": server.api}
    settings["github"].pop("token", None)
    settings["service"] = {"port": port, "github_secret": {"env": "WEBHOOK_SECRET"}, "rate_per_s": 1e4, "burst": 10**5}
    (config / "tidegate.yaml").write_text(yaml.safe_dump(settings))
    own = {"TIDEGATE_CONFIG": str(config), "TIDEGATE_HOME": str(folder), "WEBHOOK_SECRET": secrets.token_hex()}
    return dict(os.environ) | own


@contextlib.asynccontextmanager
async def serving(folder: Path, port: int, environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """`tidegate serve` as a process, and an open connection to it."""
    with (folder / "service.log").open("wb") as log:
        program = Path(sys.executable).with_name("tidegate")
        service = await asyncio.create_subprocess_exec(program, "serve", env=environment, stdout=log, stderr=log)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            for _ in range(600):
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get("/readyz")).is_success:
                        break
                await asyncio.sleep(0.1)
            yield http
    finally:
        service.terminate()
        await service.wait()


async def register(api: str) -> None:
    """The pipeline as a deployment, without a worker: its runs are made, and wait."""
    async with httpx.AsyncClient(trust_env=False) as http:
        flow = (await http.post(f"{api}/flows/", json={"name": PIPELINE})).raise_for_status().json()
        asked = {"name": PIPELINE, "flow_id": flow["id"]}
        (await http.post(f"{api}/deployments/", json=asked)).raise_for_status()


async def timed(number: int, ask: Ask, status: int) -> tuple[float, float]:
    """p50 and p99 of so many requests one after another, in milliseconds; a few before them are not counted."""
    took = []
    for _ in range(WARM + number):
        began = time.perf_counter()
        answer = await ask()
        took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != status:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
    cuts = quantiles(took[WARM:], n=100)
    return cuts[49], cuts[98]


async def deliver(http: httpx.AsyncClient, repository: str, secret: str) -> httpx.Response:
    """A push to a feature branch of its own, signed as GitHub signs it."""
    name = uuid.uuid4().hex
    event = {
        "ref": f"refs/heads/feature/{name}",
        "deleted": False,
        "head_commit": {"message": "feat: more"},
        "repository": {"full_name": repository},
        "sender": {"login": "ada"},
        # As large as GitHub's own.
        "padding": "x" * 7_000,
    }
    body = json.dumps(event).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": name,
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    return await http.post(PATH, content=body, headers=headers)


async def main(number: int) -> bool:
    """Measure and print; whether the bound holds everywhere."""
    holds = True
    repository = load.settings().application.github
    with tempfile.TemporaryDirectory() as found:
        folder = Path(found)
        server, port = PrefectServer(folder / "prefect", free_port(), cache=load.cache() / "prefect"), free_port()
        environment = configure(folder, server, port)
        try:
            await server.start()
            await register(server.api)
            async with serving(folder, port, environment) as http:
                assert server.process is not None
                cases = (("up", None), ("hanging", signal.SIGSTOP), ("gone", signal.SIGKILL))
                for name, sign in cases:
                    if sign is not None:
                        os.killpg(server.process.pid, sign)
                    bare = await timed(number, lambda: http.get("/healthz"), 200)
                    there = await timed(number, lambda: deliver(http, repository, environment["WEBHOOK_SECRET"]), 202)
                    holds = holds and there[1] < BOUND_MS
                    _tell(name, bare, there)
        finally:
            await server.stop()
    print(f"acknowledged under {BOUND_MS:.0f} ms (p99): {'yes' if holds else 'NO'}")
    return holds


def _tell(name: str, bare: tuple[float, float], there: tuple[float, float]) -> None:
    ratio = there[0] / bare[0]
    print(
        f"Prefect {name}: acknowledged in p50 {there[0]:.1f} ms, p99 {there[1]:.1f} ms; "
        f"a bare request p50 {bare[0]:.1f} ms, p99 {bare[1]:.1f} ms; {ratio:.1f} bare requests"
    )


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(int((sys.argv[1:] or ["500"])[0]))) else 1)
