"""What a renewal writes, with the lock at an API server that answers."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeapi import FakeApi, write_kubeconfig

from clients import lease
from clients.lease import State
from clients.lock import Lock
from release import names
from release.locking import Held, Holder

ME = Holder("run-1", "ada", "production v1.5.0")
LEASES = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"


async def renewed(folder: Path, me: Holder, stands: Holder) -> Holder:
    """Who holds the lock after `me` renewed it, on which `stands` was written."""
    api, app = FakeApi(folder / "kubeconfig"), web.Application()
    path = f"{LEASES}/{names.lock('shop')}"
    body: Any = lease.manifest(names.lock("shop"), State(Held(stands, 1000.0, time.time(), 60.0), (), "7", time.time()))
    api.answers = {("GET", path): body, ("PUT", path): {}}
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as server:
        write_kubeconfig(api.kubeconfig, str(server.make_url("")))
        async with Lock(api.kubeconfig, "here", "shop", "shop") as lock:
            await lock.renew(me, 60)
    written = lease.read(api.writes()[0][3], time.time()).held
    assert written is not None
    return written.holder


@pytest.mark.parametrize(("mine", "stands"), [("recovering: it fails", ""), ("", "recovering: it fails")])
async def test_a_renewal_writes_the_note_that_could_not_be_and_takes_none_away(
    tmp_path: Path, mine: str, stands: str
) -> None:
    told = replace(ME, threads='{"releases": "C1/2.3"}')
    found = await renewed(tmp_path, replace(ME, note=mine), replace(told, note=stands))
    assert found == replace(told, note="recovering: it fails")
