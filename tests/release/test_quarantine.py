from __future__ import annotations

import json
from dataclasses import replace

import pytest

from release import quarantine
from release.errors import Refused
from release.model import Artifact
from release.quarantine import Harm, Quarantined

DIGEST = "sha256:" + "ab12" * 16
ENTRY = Quarantined(
    Artifact("1.5.0", DIGEST, "c" * 40),
    "us-east-1: CrashLoopBackOff",
    "2026-11-23T08:00:00Z",
    "run-1",
    "ada",
    (Harm("us-east-1", 12.4, 25, 9, 149), Harm("eu-west-1", 3.0, 100)),
)


def test_an_entry_survives_the_registry() -> None:
    kept = json.loads(json.dumps(ENTRY.as_dict()))
    assert quarantine.from_record(kept) == ENTRY
    assert quarantine.from_record(None) is None
    assert quarantine.tag_of(DIGEST) == "quarantine-" + "ab12" * 16
    assert len(quarantine.tag_of(DIGEST)) <= 128


@pytest.mark.parametrize("spoilt", [{}, {"artifact": {"version": "1"}}, {"artifact": 3}, {"artifact": {}, "harm": [1]}])
def test_a_spoilt_record_is_not_read_as_free(spoilt: dict[str, object]) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        quarantine.from_record(spoilt)


def test_what_is_quarantined_is_refused_until_a_person_lifts_it() -> None:
    with pytest.raises(Refused) as refused:
        quarantine.require_free(ENTRY)
    for part in ("v1.5.0", "CrashLoopBackOff", "2026-11-23", "tidegate quarantine lift ab12ab12ab12"):
        assert part in str(refused.value)
    lifted = quarantine.lift(ENTRY, "grace", "the database was the cause", "2026-11-23T09:00:00Z")
    quarantine.require_free(lifted)
    quarantine.require_free(None)
    assert (lifted.lifted_by, lifted.lifted_why, lifted.why) == ("grace", "the database was the cause", ENTRY.why)
    with pytest.raises(Refused, match="grace lifted it"):
        quarantine.lift(lifted, "ada", "again", "2026-11-23T10:00:00Z")


@pytest.mark.parametrize(("who", "why"), [("", "x"), ("ada", " ")])
def test_lifting_needs_a_name_and_a_reason(who: str, why: str) -> None:
    with pytest.raises(Refused, match="a name and a reason"):
        quarantine.lift(ENTRY, who, why, "now")


def test_a_person_may_name_it_by_digest_or_version() -> None:
    other = replace(ENTRY, artifact=Artifact("1.7.0", "sha256:ab13" + "0" * 60, "d" * 40))
    entries = (ENTRY, other)
    for asked in (DIGEST, "sha256:ab12", "ab12", "v1.5.0"):
        assert quarantine.find(entries, asked) is ENTRY
    for asked in ("v1.6.0", "ffff", "", "ab", "1"):
        with pytest.raises(Refused, match="no image"):
            quarantine.find(entries, asked)
    twice = replace(other, artifact=replace(other.artifact, digest="sha256:ab12" + "f" * 60))
    with pytest.raises(Refused, match="2 images"):
        quarantine.find((ENTRY, twice), "ab12")
    # Lifted ones stand back for one that is not.
    lifted = quarantine.lift(ENTRY, "grace", "x", "now")
    assert quarantine.find((lifted, twice), "ab12") is twice


def test_harm_is_told_in_numbers() -> None:
    assert str(ENTRY.harm[0]) == "us-east-1: 9 of 149 requests failed in 12 s, with up to 25 % of the users"
    assert "not counted" in str(ENTRY.harm[1])
