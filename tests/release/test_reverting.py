from __future__ import annotations

import json
from typing import Any

import pytest

from release import reverting
from release.errors import Refused
from release.outcome import Outcome, RegionResult
from release.quarantine import Harm

RUN = "3f2a0000-0000-4000-8000-000000000000"
OUTCOME = Outcome(
    "production",
    "recovered",
    version="1.5.0",
    digest="sha256:" + "a" * 64,
    commit="b" * 40,
    reason="us-east-1: CrashLoopBackOff",
    regions=(RegionResult("us-east-1", "recovered", "1.4.0"), RegionResult("eu-west-1", "unchanged", "1.4.0")),
    harm=(Harm("us-east-1", 12.0, 25, 9, 149),),
    quarantined=True,
)


def told(**changed: Any) -> dict[str, Any]:
    return json.loads(json.dumps(OUTCOME.as_dict())) | changed


def test_a_revert_is_read_from_what_the_run_told() -> None:
    wanted = reverting.of_outcome(RUN, told())
    assert (wanted.branch, wanted.bad, wanted.good) == ("revert/v1.5.0", "b" * 40, "1.4.0")
    assert wanted.harm == OUTCOME.harm
    assert wanted.message.startswith("fix: take v1.5.0 back\n")


def test_the_numbers_are_in_the_pull_request() -> None:
    title, text = reverting.pull_request(reverting.of_outcome(RUN, told()), "ada", "http://prefect/runs/x")
    assert "v1.5.0" in title
    for part in ("9 of 149 requests failed in 12 s", "25 %", "CrashLoopBackOff", "v1.4.0", "ada", "[3f2a0000]("):
        assert part in text


@pytest.mark.parametrize(
    "spoilt", [None, {}, told(word="released"), told(pipeline="hotfix"), told(regions=[]), "# markdown"]
)
def test_only_what_was_taken_back_can_be_reverted(spoilt: object) -> None:
    with pytest.raises(Refused, match="run"):
        reverting.of_outcome(RUN, spoilt)
