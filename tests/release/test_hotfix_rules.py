"""A hotfix's rules, and what people are told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from environments import PRODUCTION
from hypothesis import given
from hypothesis import strategies as st
from simulated import Simulated, artifact, roll, want

from release import hotfix
from release import hotfix_messages as told
from release.errors import Refused
from release.hotfix_messages import Fix, Left
from release.outcome import RegionResult
from release.policies import Maintenance
from release.verdict import Counts
from release.versions import Version


@pytest.mark.parametrize("name", ["hotfix/stock", "refs/heads/hotfix/stock", "hotfix/a/b", "hotfix/1"])
def test_a_hotfix_branch(name: str) -> None:
    assert hotfix.branch(name) == name.removeprefix("refs/heads/")


@pytest.mark.parametrize("name", ["hotfix/", "hotfix", "main", "feature/hotfix/x", "xhotfix/stock", "", "v1.6.0"])
def test_any_other_branch_is_refused(name: str) -> None:
    with pytest.raises(Refused) as raised:
        hotfix.branch(name)
    assert raised.value.field == "branch"
    assert raised.value.next_step


def test_severities() -> None:
    assert [hotfix.severity(name) for name in ("critical", "high", "medium")] == ["critical", "high", "medium"]
    with pytest.raises(Refused, match="critical, high, medium"):
        hotfix.severity("low")


def test_a_critical_one_is_tested_by_the_critical_and_security_tests_only() -> None:
    assert hotfix.tests("critical") == ("critical", "security")
    assert hotfix.tests("high") == hotfix.tests("medium") == ("unit", "integration-critical")


def test_a_critical_one_goes_one_region_at_a_time_with_its_own_numbers() -> None:
    production = replace(PRODUCTION, backup=True, maintenance=Maintenance("banner"))
    found = hotfix.environment(production, "critical")
    assert found.waves == (("us-east-1",), ("eu-west-1",), ("ap-southeast-1",))
    assert found.parallel == 1
    assert (found.rolling.max_unavailable, found.rolling.max_surge, found.rolling.timeout) == ("10%", "50%", 300)
    assert (found.probe.attempts, found.probe.gap, found.probe.path) == (5, 10, "/health")
    assert (found.gates.approvals, found.gates.wait, found.gates.protected_branch) == (1, 0, None)
    assert found.replicas == production.replicas
    # Each region has an emergency backup of its own, and users are not shut out for it.
    assert (found.backup, found.maintenance.mode) == (False, "off")
    # A region that was done is not held to less than its own watch was.
    assert (production.guard.limit, found.guard.limit) == (0.01, 0.02)


@pytest.mark.parametrize("severity", ["high", "medium"])
def test_any_other_one_goes_as_production_does(severity: hotfix.Severity) -> None:
    production = replace(PRODUCTION, backup=True, maintenance=Maintenance("banner"))
    found = hotfix.environment(production, severity)
    assert (found.waves, found.rolling, found.probe) == (production.waves, production.rolling, production.probe)
    assert (found.backup, found.maintenance.mode) == (True, "banner")
    assert (found.gates.approvals, found.gates.wait) == (2, 1800)
    assert found.gates.protected_branch is None  # its commit reaches main only afterwards


def test_it_is_held_against_its_limit_and_the_time_before() -> None:
    own = PRODUCTION.hotfix
    absolute, before = hotfix.limits(own, Counts(10_000, 10))
    assert (absolute.rate, absolute.alpha) == (0.02, 0.001)
    assert 0.001 < before.rate < 0.005  # 0.1 % were seen, and a little more may be by chance
    assert before.alpha == 0.0005
    assert hotfix.limits(own, None) == hotfix.limits(own, Counts()) == (absolute,)


def test_the_live_commit_of_every_region_counts() -> None:
    here, there, empty = Simulated("r1"), Simulated("r2"), Simulated("r3")
    roll(here, want(4))
    roll(there, want(5))
    found = hotfix.live_commits([here.state, there.state, empty.state])
    assert found == {"r1": artifact(4).commit, "r2": artifact(5).commit}


def test_nothing_live_is_nothing_to_mend() -> None:
    with pytest.raises(Refused, match="nothing is live"):
        hotfix.live_commits([Simulated().state])


def test_what_it_replaces_is_known_before_and_after() -> None:
    region = Simulated()
    roll(region, want(4))
    assert hotfix.replaced([region.state], artifact(5)) == artifact(4).commit
    roll(region, want(5))
    assert hotfix.replaced([region.state], artifact(5)) == artifact(4).commit
    assert hotfix.replaced([Simulated().state], artifact(5)) is None


@pytest.mark.parametrize(
    ("last", "taken", "version"),
    [
        (Version(1, 6, 0), (), "1.6.1"),
        (Version(1, 6, 0), (Version(1, 6, 1), Version(1, 7, 0)), "1.6.2"),
        (Version(1, 6, 9), (), "1.6.10"),
        (None, (), "0.0.1"),
    ],
)
def test_the_version_is_the_next_free_patch(last: Version | None, taken: tuple[Version, ...], version: str) -> None:
    assert str(hotfix.next_free(last, taken)) == version


@given(st.integers(0, 30), st.sets(st.integers(0, 40)))
def test_the_version_is_never_taken_and_the_first_that_is_free(last: int, taken: set[int]) -> None:
    found = hotfix.next_free(Version(1, 2, last), {Version(1, 2, patch) for patch in taken})
    assert found.patch == min(set(range(last + 1, 80)) - taken)


FIX = Fix("hotfix/stock", "critical", artifact(6), "run-7", ("critical passed in 0.4 s", "audit passed in 0.2 s"))


def test_the_card_is_the_originals() -> None:
    (card,) = told.card("eu-west-1", "v1.6.1", "hotfix/stock", "critical")
    assert (told.BOT, told.ICON, card["color"]) == ("Emergency Deploy Bot", ":fire:", "danger")
    assert card["title"] == "🚨 EMERGENCY HOTFIX DEPLOYMENT 🚨"
    assert [(one["title"], one["value"], one["short"]) for one in card["fields"]] == [
        ("Region", "eu-west-1", True),
        ("Version", "v1.6.1", True),
        ("Branch", "hotfix/stock", True),
        ("Severity", "critical", True),
    ]


def test_the_release_tells_only_what_happened() -> None:
    live = {"us-east-1": "2026-01-02T03:04:05Z", "eu-west-1": "2026-01-02T03:06:00Z"}
    body = told.release_body(FIX, live, ("fix(orders): never sell more than there is",))
    for fact in ("critical", "hotfix/stock", artifact(6).commit, "run-7", "fix(orders): never sell more", *live):
        assert fact in body
    assert "us-east-1: 2026-01-02T03:04:05Z" in body
    assert "critical passed in 0.4 s" in body
    assert "security" not in body.lower()  # it did not run


def test_what_could_not_be_merged_is_said() -> None:
    text = told.finished(FIX, Left(("v1.6.0 is tagged",), ("main is protected",)), 61, "ada")
    assert "v1.6.0 is live in all regions after 1 min 1 s, started by ada" in text
    assert ":warning: main is protected" in text
    title, why = told.pull_request(FIX, "hotfix/stock", "main", "they conflict.")
    assert title == "Merge hotfix v1.6.0: hotfix/stock into main"
    assert "they conflict." in why


def test_a_region_that_is_done_is_told() -> None:
    text = told.region_done(RegionResult("eu-west-1", "released", "1.6.1", ready=10, seconds=42), "v1.6.1", "0.1 %")
    assert text.splitlines() == [
        "✅ Emergency hotfix deployed successfully to eu-west-1",
        "Version: v1.6.1",
        "Pods: 10 ready, after 42 s",
        "Monitoring: 0.1 %",
    ]
