"""What a release keeps of its verdict is what the metrics read."""

from __future__ import annotations

import json

from release.underway import Evidence, evidence_of
from release.verdict import Policy, judge, start
from tasks.course import facts


def test_a_verdict_is_read_back_as_evidence() -> None:
    _, found = judge(start(Policy()), None, 10, 1.0)
    told = json.loads(json.dumps(facts(found, 10) | {"environment": "production", "region": "us-east-1"}))
    assert evidence_of(told) == Evidence(
        "production", "us-east-1", found.against, found.needed, found.favour, found.wanted
    )
    assert (told["weight"], told["canary"]) == (10, [found.canary.requests, found.canary.errors])
    assert told["sentence"] == found.sentence
