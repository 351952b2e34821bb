"""Fixtures of the clients' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from fakeapi import FakeApi, write_kubeconfig
from registry_fixtures import registry, registry_access

__all__ = ["api", "registry", "registry_access"]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[FakeApi]:
    fake = FakeApi(tmp_path / "kubeconfig")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    write_kubeconfig(fake.kubeconfig, f"http://127.0.0.1:{port}")
    yield fake
    await runner.cleanup()
