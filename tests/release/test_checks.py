from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from preparation import NEW, OLD, WANT, app, region

from release import checks, quarantine, verification
from release.checks_made import Facts
from release.errors import Refused
from release.model import Artifact
from release.policies import Checks
from release.quarantine import Quarantined
from release.wayback import FIRST, WayBack

BACK = WayBack("rehearsed", OLD.version, OLD.digest, 3.0, 4.0, 120.0)
ALL = Checks()
IRREVERSIBLE = {"name": "drop-prices", "version": "1.5.0", "irreversible": True}


def staged(way_back: WayBack | None = BACK, artifact: Artifact = NEW) -> dict[str, Any]:
    return verification.record(artifact, at="2026-11-23T09:00:00Z", run="run", way_back=way_back)


WELL = Facts(WANT, "- a page", staged(), [region(OLD), region(OLD)], frozenset({OLD.digest, NEW.digest}), app())
TAKEN_BACK = Quarantined(NEW, "us-east-1: CrashLoopBackOff", "2026-11-23T10:00:00Z", "run", "ada")
# What is wrong, the only check that then fails, and what it says.
WRONG = [
    ({"body": None}, "release notes", "no published GitHub release of v1.5.0"),
    ({"body": "<!-- write something -->\nstrategy: canary"}, "release notes", "says nothing"),
    ({"record": staged(artifact=replace(NEW, version="1.5.1"))}, "staging verified it", "as 1.5.1"),
    ({"record": staged(artifact=OLD)}, "staging verified it", "verified commit aaaaaaaaaaaa"),
    ({"record": staged(artifact=replace(NEW, digest="sha256:3"))}, "staging verified it", "verified sha256:3, not"),
    ({"images": frozenset({OLD.digest})}, "staging verified it", "no longer in the registry"),
    ({"record": staged(None)}, "way back", "staging did not rehearse it"),
    ({"record": staged(WayBack("off"))}, "way back", "turned off"),
    ({"record": staged(replace(BACK, result="untried", reason="a hotfix"))}, "way back", "not rehearsed, to v1.4.0"),
    ({"record": staged(replace(BACK, result="failed", reason="load failed"))}, "way back", "load failed"),
    ({"record": staged(replace(BACK, back_s=121.0))}, "way back", "longer than the budget of 120 s"),
    ({"record": staged(FIRST)}, "way back", "none: first version"),
    ({"app": app(IRREVERSIBLE)}, "way back", "none: irreversible migration drop-prices"),
    ({"images": frozenset({NEW.digest})}, "last good version", "image of v1.4.0 (sha256:111111111111) is no longer"),
    ({"states": [region(OLD), region(None, deployed=OLD)]}, "last good version", "never recorded as live"),
    ({"app": app(declared=False)}, "migrations", "does not say which migrations"),
    ({"app": app({**IRREVERSIBLE, "version": "1.6.0"})}, "migrations", "declared for a later version than v1.5.0"),
    (
        {"quarantined": TAKEN_BACK},
        "quarantine",
        "v1.5.0 (sha256:222222222222) is quarantined since 2026-11-23T10:00:00Z",
    ),
]


def failing(facts: Facts, policy: Checks = ALL) -> list[checks.Check]:
    return [check for check in checks.listed(facts, policy) if not check.ok]


def test_all_is_well():
    found = (*checks.listed(WELL, ALL), checks.team(ALL, None))
    checks.require(found)
    assert [row["result"] for row in checks.rows(found)] == ["ok"] * 7
    assert "back to v1.4.0 in 3.0 s" in found[2].detail


@pytest.mark.parametrize(("change", "name", "says"), WRONG, ids=[f"{name}: {says}" for _, name, says in WRONG])
def test_only_that_check_fails_and_the_release_is_refused(change: dict[str, Any], name: str, says: str):
    facts = replace(WELL, **change)
    (found,) = failing(facts)
    assert (found.name, says in found.detail, bool(found.next_step)) == (name, True, True), found
    with pytest.raises(Refused, match="pre-deployment checks") as raised:
        checks.require(checks.listed(facts, ALL))
    assert says in raised.value.what
    assert raised.value.next_step == found.next_step


@pytest.mark.parametrize("key", [field.name for field in fields(Checks)])
def test_a_check_that_is_turned_off_refuses_nothing_and_says_so(key: str):
    name = key.replace("_", " ").replace("last good", "last good version")
    policy = replace(ALL, **{key: False})
    wrong = [change for change, failed, _ in WRONG if failed == name]
    found = [check for change in wrong for check in checks.listed(replace(WELL, **change), policy)]
    found += [checks.team(policy, "no answer")] if key == "team_told" else []
    checks.require([check for check in found if check.name == name])
    assert {check.detail.partition(";")[0] for check in found if check.name == name} == {f"turned off (checks.{key})"}


def test_a_team_that_was_not_told_refuses_the_release():
    with pytest.raises(Refused, match="not told: Slack did not answer") as raised:
        checks.require([checks.team(ALL, "Slack did not answer.")])
    assert "team_told" in str(raised.value.next_step)


@pytest.mark.parametrize(
    "change",
    [{"record": staged(FIRST), "states": [region(None)]}, {"app": app(IRREVERSIBLE)}],
    ids=["first", "migration"],
)
def test_no_way_back_can_be_accepted_by_a_person(change: dict[str, Any]):
    assert [check.name for check in failing(replace(WELL, **change))] == ["way back"]
    found = checks.listed(replace(WELL, **change, no_way_back=True), ALL)
    assert all(check.ok for check in found)
    assert "accepted by --accept-no-way-back" in found[2].detail


@pytest.mark.parametrize("way_back", [replace(BACK, result="failed"), replace(BACK, back_s=121.0), None])
def test_a_way_back_that_failed_cannot_be_accepted_away(way_back: WayBack | None):
    facts = replace(WELL, record=staged(way_back), no_way_back=True)
    assert [check.name for check in failing(facts)] == ["way back"]


def test_a_quarantine_that_was_lifted_is_told_with_the_persons_word():
    lifted = quarantine.lift(TAKEN_BACK, "grace", "the database was down", "2026-11-23T11:00:00Z")
    facts = replace(WELL, quarantined=lifted)
    assert failing(facts) == []
    assert checks.listed(facts, ALL)[-1].detail == "lifted by grace at 2026-11-23T11:00:00Z: the database was down"


def test_a_first_release_has_no_last_good_version():
    facts = replace(WELL, states=[region(None)], record=staged(FIRST), no_way_back=True)
    assert "it is the first release" in checks.listed(facts, ALL)[3].detail


def test_a_first_version_of_long_ago_is_to_be_staged_again():
    """Another version went live since staging found nothing to go back to."""
    (found,) = failing(replace(WELL, record=staged(FIRST)))
    assert found.next_step.startswith("Stage it again")


def test_a_release_that_was_killed_may_go_on():
    """What it left in a region without a record is its own version."""
    assert failing(replace(WELL, states=[region(OLD), region(None, deployed=NEW)])) == []
    assert failing(replace(WELL, states=[region(NEW, previous=OLD), region(OLD)])) == []


def test_migrations_that_come_with_the_version_are_named():
    facts = replace(WELL, app=app({"name": "add-stock", "version": "1.5.0", "irreversible": False}, IRREVERSIBLE))
    assert checks.listed(facts, ALL)[4].detail == "comes with add-stock (v1.5.0), drop-prices (v1.5.0, IRREVERSIBLE)"
