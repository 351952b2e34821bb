"""A real control plane for the slow tests: one a test process, its binaries from the machine's cache."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from github_world import World, new_world
from kubernetes.aio import client

from sandbox.admin import Admin
from sandbox.controlplane import build
from sandbox.controlplane.build import Binaries
from sandbox.controlplane.crds import apply_crds
from sandbox.controlplane.run import ControlPlane


def cache_folder() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TIDEGATE_CACHE") or home / "tidegate")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A simulated GitHub over a repository of its own."""
    async with new_world(tmp_path) as world:
        yield world


@pytest.fixture(scope="session")
def machine_cache() -> Path:
    """The cache that all checkouts of the machine share."""
    return cache_folder()


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """The three executables; the very first use on a machine builds them, which takes minutes."""
    return asyncio.run(build.ensure(cache_folder(), print))


@pytest.fixture(scope="session")
def crds() -> tuple[Path, ...]:
    """Gateway API's CRD files."""
    return asyncio.run(build.ensure_crds(cache_folder(), print))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    binaries: Binaries, crds: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ControlPlane]:
    """A control plane with Gateway API's CRDs, shared by the tests of this process."""
    plane = ControlPlane(tmp_path_factory.mktemp("controlplane"), binaries)
    admin = await plane.start()
    try:
        await apply_crds(admin, crds)
        yield plane
    finally:
        await plane.stop()


@pytest.fixture
def control_plane(running: ControlPlane) -> Admin:
    """The cluster-admin's access to it. Tests keep apart by namespaces: see `namespace`."""
    return running.admin


@pytest_asyncio.fixture
async def namespace(control_plane: Admin) -> AsyncIterator[str]:
    """A new namespace whose default service account is there, so that pods can be made at once."""
    name = f"test-{secrets.token_hex(4)}"
    async with control_plane.client() as api:
        core = client.CoreV1Api(api)
        await core.create_namespace({"metadata": {"name": name}})
        while True:
            accounts = await core.list_namespaced_service_account(name)
            if any(account.metadata.name == "default" for account in accounts.items):
                break
            await asyncio.sleep(0.05)
        yield name
        await core.delete_namespace(name)
