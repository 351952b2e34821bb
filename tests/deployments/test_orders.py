"""A person's order finds the one release that it names, and no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from lockedplaces import Places, places

from deployments.orders import give
from release.errors import Refused, Unavailable
from release.locking import Holder, Recovering

PRODUCTION = Holder("3f2a1111-2222-4333-8444-555555555555", "ada", "production v1.5.0")
STAGING = Holder("77aa1111-2222-4333-8444-555555555555", "ada", "staging v1.6.0")


@pytest.fixture
async def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Places]:
    monkeypatch.setenv("TIDEGATE__PREFECT__API", "http://127.0.0.1:9/api")
    async with places(tmp_path, monkeypatch) as found:
        await found.hold("production", PRODUCTION)
        await found.hold("staging", STAGING)
        yield found


async def test_an_order_reaches_the_holder_that_it_names_while_prefect_is_away(held: Places) -> None:
    assert (await give("77aa", "abort", "eve", "wrong version")).told == "told staging v1.6.0 in staging."
    assert await held.orders("staging") == [("abort", "eve")]
    assert await held.orders("production") == []


@pytest.mark.parametrize("condemned", [True, False])
@pytest.mark.parametrize("what", ["abort", "hold", "resume", "promote"])
async def test_a_release_that_goes_back_already_is_said_to_go_on_with_that(
    held: Places, what: str, condemned: bool
) -> None:
    note = Recovering("us-east-1: CrashLoopBackOff", condemned).note
    await held.hold("production", replace(PRODUCTION, note=note))
    told = (await give("3f2a", what, "eve", "too late")).told
    assert told.startswith("told production v1.5.0 in production. It is being taken back already")
    assert told.endswith("this changes nothing.")


@pytest.mark.parametrize("run", ["", "   ", "3", "3f2"])
@pytest.mark.parametrize("what", ["abort", "hold", "resume", "promote"])
async def test_a_beginning_that_names_nothing_reaches_nobody(held: Places, run: str, what: str) -> None:
    with pytest.raises(Refused, match="at least the first 4") as caught:
        await give(run, what, "eve", "x")
    assert caught.value.field == "run"
    assert await held.orders("production") == await held.orders("staging") == []


async def test_two_holders_that_begin_so_are_named(held: Places) -> None:
    await held.hold("development", Holder("3f2a9999-2222-4333-8444-555555555555", "bob", "development 1.7.0"))
    with pytest.raises(Refused, match=r"2 runs begin with 3f2a: .*lock of production.*lock of development"):
        await give("3f2a", "abort", "eve", "x")
    assert await held.orders("production") == []


async def test_a_holder_and_a_run_that_waits_are_named(held: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    run: dict[str, Any] = {"id": "3f2a9999-2222-4333-8444-555555555555", "name": "v1.6.0 by bob", "flow_id": "f"}
    run["state"] = {"type": "PAUSED", "name": "AwaitingApproval"}

    async def answer(request: web.Request) -> web.Response:
        return web.json_response([run] if "flow_runs" in request.path else [{"id": "f", "name": "production"}])

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    async with TestServer(app) as server:
        monkeypatch.setenv("TIDEGATE__PREFECT__API", str(server.make_url("/api")))
        with pytest.raises(Refused, match=r"production v1.6.0 by bob, AwaitingApproval.*lock of production"):
            await give("3f2a", "hold", "eve", "")
        run["state"] = {"type": "FAILED", "name": "Refused"}
        assert (await give("3f2a", "hold", "eve", "")).told == "told production v1.5.0 in production."


async def test_a_region_that_is_away_keeps_no_order_from_another_environment(held: Places) -> None:
    held.leases["production"].away = True
    assert (await give("77aa", "abort", "eve", "wrong version")).told == "told staging v1.6.0 in staging."
    with pytest.raises(Unavailable):
        await give("3f2a", "abort", "eve", "wrong version")
