"""The locks of every environment at one API server that answers, as the settings name their contexts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeapi import FakeApi, write_kubeconfig
from fakelease import FakeLease

from clients.lock import Lock
from config import load
from release.environment import Region
from release.locking import Holder


class Places:
    """`leases` by environment; `api` is what they are at."""

    def __init__(self, api: FakeApi) -> None:
        self.api = api
        app = load.settings().application.name
        self.leases = {name: FakeLease(api, self.region(name).namespace, app) for name in load.ENVIRONMENTS}

    def region(self, environment: str) -> Region:
        return next(iter(load.environment(environment).regions.values()))

    def lock(self, environment: str) -> Lock:
        region = self.region(environment)
        return Lock(self.api.kubeconfig, region.context, region.namespace, load.settings().application.name)

    async def hold(self, environment: str, holder: Holder) -> None:
        async with self.lock(environment) as lock:
            await lock.acquire(holder, 60)

    async def orders(self, environment: str) -> list[tuple[str, str]]:
        async with self.lock(environment) as lock:
            held = (await lock.read()).held
        return [(one.what, one.who) for one in held.orders] if held else []


@asynccontextmanager
async def places(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Places]:
    monkeypatch.setenv("TIDEGATE_HOME", str(folder))
    monkeypatch.setenv("TIDEGATE__KUBECONFIG", str(folder / "kubeconfig"))
    made = Places(FakeApi(folder / "kubeconfig"))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.api.handle)
    async with TestServer(app) as server:
        write_kubeconfig(made.api.kubeconfig, str(server.make_url("")))
        data = yaml.safe_load(made.api.kubeconfig.read_text())
        whole = data["contexts"][0]["context"]
        data["contexts"] = [
            {"name": region.context, "context": whole}
            for name in load.ENVIRONMENTS
            for region in load.environment(name).regions.values()
        ]
        made.api.kubeconfig.write_text(yaml.safe_dump(data))
        yield made
