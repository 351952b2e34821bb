"""Who asked for a run at its gates: proven by what each way really knows, and by nothing that somebody typed."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from somepeople import configured

from clients.ballots import Ballots
from clients.store import Store
from config import load
from flows.asking import Asking
from flows.passage import Passage
from release.gates import Request
from release.gates_votes import Bound
from release.model import Artifact
from tasks import proof

ARTIFACT = Artifact("1.5.0", "sha256:" + "1" * 64, "a" * 40)
BOUND = Bound("production of shop", ARTIFACT.digest, "rolling", ("us",), {"us": ("1.4.0", "sha256:old")})
PROVEN, MORE = 2, 3


async def needed(url: str, claimed: str, asked: tuple[str, str] | None, deployed: bool) -> int:
    """How many must approve a run whose parameter says `claimed`, and of which `asked` was kept."""
    run = FlowRun(id=uuid4(), flow_id=uuid4(), deployment_id=uuid4() if deployed else None)
    async with Store(url) as store:
        ballots = Ballots(store)
        if asked is not None:
            await ballots.asked_by(str(run.id), *asked, 1000.0)
        asking = Asking(load.environment("production"), "production", ARTIFACT, "rolling", ("us",), claimed)
        passage = Passage(asking, Request(claimed, False, 0.0, BOUND), ballots)
        with FlowRunContext.model_construct(flow_run=run):
            await passage.identify()
        return passage.needed


@pytest.mark.parametrize(
    ("asked", "people"),
    [
        (("ada-l", "github"), PROVEN),
        (("bob", "github"), PROVEN),
        (("ada", "github"), MORE),
        (("eve", "github"), MORE),
        (("ada", "cli"), PROVEN),
        (("ada", "board"), PROVEN),
        (("ada-l", "cli"), MORE),
        (("U1", "board"), MORE),
        (("U1", "slack"), PROVEN),
        (None, MORE),
    ],
)
async def test_a_run_of_a_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, str] | None, people: int
) -> None:
    assert await needed(configured(tmp_path, monkeypatch), "ada", asked, True) == people


@pytest.mark.parametrize(("by", "people"), [("ada", PROVEN), (None, MORE), ("ada-l", MORE)])
async def test_a_run_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str | None, people: int) -> None:
    token = proof.in_place.set(by)
    try:
        assert await needed(configured(tmp_path, monkeypatch), "ada", None, False) == people
    finally:
        proof.in_place.reset(token)
