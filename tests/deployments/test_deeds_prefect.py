"""What people do from the board at Prefect and in the store: a rollback is a run of its deployment, a vote by one-time
code is kept, and the run that waits for it is woken."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from board_world import NOW, approval, seen
from fake_prefect_api import FakePrefectApi
from overhttp import served

from clients.ballots import Asked, Ballots
from clients.store import Store
from deployments.service.deeds import RealDeeds
from release.board import fold
from release.board_actions import plan
from release.errors import Refused
from release.gates_code import code_at
from release.gates_votes import Bound

SECRET = pyotp.random_base32()
RUN = "77aa0000-1111-4222-8333-444455556666"
BOUND = Bound("production of shop", "sha256:new", "canary", ("us",), {"us": ("1.4.0", "sha256:old")})
REASON = "the checkout is broken"


@dataclass
class There:
    """A Prefect server in memory, and a store in a file."""

    prefect: FakePrefectApi
    store: Store


@pytest.fixture
async def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[There]:
    prefect, url = FakePrefectApi("rollback"), f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("STORE", url)
    monkeypatch.setenv("TOTP", SECRET)
    monkeypatch.setenv("TIDEGATE__DATABASE", json.dumps({"url": {"env": "STORE"}}))
    monkeypatch.setenv("TIDEGATE__PEOPLE", json.dumps({"bob": {"roles": ["approve"], "totp": {"env": "TOTP"}}}))
    async with served(prefect.transport) as address, Store(url) as store:
        monkeypatch.setenv("TIDEGATE__PREFECT__API", f"{address}/api")
        yield There(prefect, store)


async def test_a_rollback_from_the_board_is_a_run_that_knows_who_asked_for_it(there: There) -> None:
    asked = plan(fold(seen()), "rollback", "production")
    told = await RealDeeds().do(asked, "ada", REASON, "")
    [run] = there.prefect.runs.values()
    assert told == f"rollback: run {run['id'][:8]} will take production back."
    assert run["deployment_id"] == there.prefect.deployments["rollback"]
    assert (run["parameters"], run["tags"]) == ({"reason": REASON, "actor": "ada"}, ["board"])
    assert await Ballots(there.store).who_asked(run["id"]) == ("ada", "board")


async def test_two_rollbacks_that_were_asked_for_are_two_runs(there: There) -> None:
    asked = plan(fold(seen()), "rollback", "production")
    for _ in range(2):
        await RealDeeds().do(asked, "ada", REASON, "")
    assert len(there.prefect.runs) == 2


async def test_without_its_deployment_a_rollback_is_refused_with_a_way_to_do_it(there: There) -> None:
    there.prefect.deployments.clear()
    with pytest.raises(Refused, match="not registered") as refused:
        await RealDeeds().do(plan(fold(seen()), "rollback", "production"), "ada", REASON, "")
    assert "tidegate rollback" in refused.value.next_step
    assert there.prefect.runs == {}


async def waiting(there: There) -> None:
    """A release of ada's waits, suspended, for one approval."""
    asked = Asked(RUN, "production v1.5.0", "production", "ada", 1, time.time(), BOUND, "approvals")
    await Ballots(there.store).open(asked, True, 0)
    paused = {"type": "PAUSED", "name": "AwaitingApproval", "state_details": {"pause_reschedule": True}}
    there.prefect.runs["asked"] = {"id": RUN, "name": "v1.5.0", "state": paused}


async def test_an_approval_from_the_board_is_kept_and_wakes_the_run(there: There) -> None:
    await waiting(there)
    board = fold(seen(approvals=(approval(run=RUN),)))
    told = await RealDeeds().do(plan(board, "approve", RUN), "bob", "", code_at(SECRET, time.time()))
    assert told == "bob approved production v1.5.0 for production: that is enough."
    [vote] = await Ballots(there.store).votes(BOUND.key)
    assert (vote.person, vote.decision, vote.via, vote.bound) == ("bob", "approve", "board", BOUND)
    assert there.prefect.runs["asked"]["state"]["name"] == "Resuming"


async def test_a_wrong_code_is_no_approval_and_wakes_nobody(there: There) -> None:
    await waiting(there)
    board = fold(seen(approvals=(approval(run=RUN),)))
    with pytest.raises(Refused, match="the code is wrong"):
        await RealDeeds().do(plan(board, "approve", RUN), "bob", "", code_at(SECRET, NOW))
    assert await Ballots(there.store).votes(BOUND.key) == ()
    assert there.prefect.runs["asked"]["state"]["name"] == "AwaitingApproval"
