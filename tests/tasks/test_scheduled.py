"""Who asked for a run that its deployment's schedule made: nobody who could approve it himself."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from config import load
from flows.asking import Asking
from flows.passage import Passage
from release.gates import Request
from release.gates_votes import Bound
from release.model import Artifact

ARTIFACT = Artifact("1.5.0", "sha256:" + "1" * 64, "a" * 40)
BOUND = Bound("staging of shop", ARTIFACT.digest, "rolling", ("staging",), {"staging": ("1.4.0", "sha256:old")})


@pytest.mark.parametrize(
    ("auto", "scheduled", "needed"),
    [(True, "approvals", 1), (True, "none", 0), (False, "approvals", 2), (False, "none", 2)],
)
async def test_a_nightly_run_needs_no_more_than_the_environment_asks_for(
    auto: bool, scheduled: Literal["approvals", "none"], needed: int
) -> None:
    environment = load.environment("staging")
    environment = replace(environment, gates=replace(environment.gates, approvals=1, scheduled=scheduled))
    run = FlowRun(id=uuid4(), flow_id=uuid4(), deployment_id=uuid4(), auto_scheduled=auto)
    who = "the nightly schedule"
    passage = Passage(
        Asking(environment, "staging", ARTIFACT, "rolling", ("staging",), who), Request(who, False, 0.0, BOUND), None
    )
    with FlowRunContext.model_construct(flow_run=run):
        await passage.identify()
    assert passage.needed == needed
