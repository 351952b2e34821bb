"""The health probes of a region: some may fail, and none that answers is a failure."""

from __future__ import annotations

import re

import pytest
from desk import Desk, only, release
from images import made
from look import Look, Regions

pytestmark = pytest.mark.slow
REGION = "us-east-1"


def test_a_region_that_answers_late_is_probed_again(desk: Desk, look: Look, served: Regions) -> None:
    artifact = made(desk)
    with desk.start(*release(f"v{artifact.version}", *only(REGION))) as running:
        running.until("is being upgraded")
        desk.fault("gateway", "500", REGION)
        running.until("the chart's tests")
        desk.fault("gateway", "500", REGION, 3.0)
        result = running.end()
    assert (result.code, result.word) == (0, "released"), result.text
    answered = re.search(r"health probe answered \((\d+) of 10\)", result.text)
    assert answered is not None
    assert int(answered[1]) > 1


def test_a_region_that_never_answers_is_taken_back(desk: Desk, look: Look, served: Regions) -> None:
    artifact = made(desk)
    with desk.start(*release(f"v{artifact.version}", *only(REGION))) as running:
        running.until("is being upgraded")
        desk.fault("gateway", "500", REGION)
        running.until("going back")
        desk.calm()
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert f"{REGION}: " in result.reason
    assert "gave no good answer in 10 probes" in result.reason
    look.back_on(served, REGION)
