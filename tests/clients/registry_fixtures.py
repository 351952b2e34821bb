"""A real registry for the tests of clients, one a test process."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clients.registry import Registry
from sandbox.registry import RegistryAccess, RegistryServer


def _cache_folder() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TIDEGATE_CACHE") or home / "tidegate")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def registry_access(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RegistryAccess]:
    """The address and the credentials of a registry that runs."""
    folder = tmp_path_factory.mktemp("registry")
    server = RegistryServer(folder / "data", _cache_folder(), folder / "log", password=secrets.token_urlsafe())
    try:
        yield await server.start()
    finally:
        await server.stop()


@pytest_asyncio.fixture
async def registry(registry_access: RegistryAccess) -> AsyncIterator[Registry]:
    """A repository of its own in that registry."""
    access = registry_access
    async with Registry(
        access.url, f"shop-{secrets.token_hex(4)}", username=access.username, password=access.password
    ) as client:
        yield client
