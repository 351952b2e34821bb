"""How the gates would answer at a time that a person asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from config import load
from deployments import plans
from release import gates_freeze
from release.gates import Gates, judge
from release.model import Artifact, RegionState, SlotState
from release.people import Requester
from release.strategy import Want

WEEKEND = gates_freeze.freeze("weekend", datetime(2026, 1, 2, 17), "P2DT15H", "UTC", "FREQ=WEEKLY;BYDAY=FR")


@pytest.mark.parametrize(("at", "word"), [("2026-11-27T16:55", "waiting"), ("2026-11-27T17:05", "refused")])
def test_would_friday_evening_be_refused(at: str, word: str) -> None:
    gates = Gates(approvals=1, freezes=(WEEKEND,))
    environment = replace(load.environment("production"), gates=gates)
    want = Want(Artifact("1.5.0", "sha256:2", "c" * 40), "", environment.rolling)
    found = plans._Found(want, True, (), frozenset(), None)
    state = RegionState("us-east-1", SlotState("blue"), SlotState("green"))
    moment = gates_freeze.moment(at, "UTC").timestamp()
    asked = plans.Asked("v1.5.0", by=Requester("nobody"), at=at)
    request = plans._request(asked, found, ("us-east-1",), [state], moment)
    standing = judge(gates, request, (), {}, moment)
    assert standing.word == word
    assert ("until Mon 2026-11-30 08:00 UTC" in standing.reason) == (word == "refused")
    # The configuration names neither people nor a database: no time of the day would help.
    ((what, step),) = plans._never(environment, request)
    assert "no database" in what and "database" not in standing.reason
    assert "tidegate.yaml" in step
