"""What a run comes to in the table of finished releases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.finished import GO_ON, Finished, FinishedRegion, Run, finished, may_go_on
from release.outcome import Outcome, RegionResult

WHEN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
KNOWN = {"production": ("us-east-1", "eu-west-1"), "staging": ("staging",)}


def run(pipeline: str = "production", state: str = "Released", **parameters: Any) -> Run:
    return Run("r1", 1, pipeline, state, WHEN, WHEN, WHEN, parameters)


def of(outcome: Outcome, **parameters: Any) -> Finished:
    found = finished(run(outcome.pipeline, **parameters), outcome.as_dict(), (), KNOWN)
    assert found is not None
    return found


def released(*regions: str) -> tuple[RegionResult, ...]:
    return tuple(RegionResult(region, "released", "1.4.0") for region in regions)


def test_a_good_release_is_a_success_in_each_of_its_regions() -> None:
    told = Outcome(
        "production",
        "released",
        "1.4.0",
        "canary",
        regions=released("us-east-1", "eu-west-1"),
        locked=120.0,
        committed=("2026-01-04T09:00:00+01:00", "nonsense", "2026-01-04T09:00:00"),
    )
    found = of(told, actor="ada")
    assert (found.environment, found.strategy, found.outcome, found.actor) == (
        "production",
        "canary",
        "released",
        "ada",
    )
    assert [(one.region, one.result) for one in found.regions] == [("us-east-1", "success"), ("eu-west-1", "success")]
    assert found.seconds == 120.0
    assert found.committed == (datetime(2026, 1, 4, 8, 0, tzinfo=UTC),)


def test_regions_that_were_never_touched_are_no_deployments() -> None:
    results = (RegionResult("us-east-1", "recovered", share=10), RegionResult("eu-west-1", "unchanged"))
    found = of(Outcome("production", "recovered", "1.5.0", "canary", regions=results, recovery=4.0))
    assert found.regions == (FinishedRegion("us-east-1", "failure", "recovered"),)
    assert (found.recovery, found.prevented) == (4.0, True)


@pytest.mark.parametrize(
    ("pipeline", "share", "prevented"), [("production", 100, False), ("hotfix", 25, True), ("rollback", 25, False)]
)
def test_an_incident_is_prevented_only_before_all_users_of_a_region_had_it(
    pipeline: str, share: int, prevented: bool
) -> None:
    results = (RegionResult("us-east-1", "recovered", share=10), RegionResult("eu-west-1", "recovered", share=share))
    assert of(Outcome(pipeline, "recovered", regions=results)).prevented is prevented


def test_a_refused_run_deployed_nothing() -> None:
    found = of(Outcome("production", "refused", "1.4.0"))
    assert (found.regions, found.outcome, found.strategy) == ((), "refused", "rolling")


def test_a_killed_run_is_read_from_its_regions() -> None:
    children = (
        Run("c1", 1, "region", "Completed", WHEN, WHEN, WHEN, {"region": "us-east-1"}),
        Run("c2", 1, "region", "Crashed", WHEN, WHEN, WHEN, {"region": "eu-west-1"}),
        Run("c3", 1, "recover", "Running", WHEN, WHEN, WHEN, {}),
    )
    found = finished(run(state="Crashed", strategy="canary"), None, children, KNOWN)
    assert found is not None
    assert (found.outcome, found.strategy) == ("crashed", "canary")
    assert [(one.region, one.result) for one in found.regions] == [("us-east-1", "success"), ("eu-west-1", "failure")]


def child(flow: str, state: str, minute: int = 0, **parameters: Any) -> Run:
    asked = WHEN + timedelta(minutes=minute)
    return Run(f"{flow}-{minute}", 1, flow, state, asked, asked, asked, parameters)


def killed(pipeline: str, *children: Run, **parameters: Any) -> tuple[str, dict[str, str]]:
    found = finished(run(pipeline, "Crashed", **parameters), None, children, KNOWN)
    assert found is not None
    return found.strategy, {one.region: one.result for one in found.regions}


def test_a_killed_run_is_read_from_its_regions_own_workers_too() -> None:
    """Their last run of a region counts, whatever order they come in, and the strategy is theirs."""
    strategy, results = killed(
        "production",
        child("regional", "Released", 3, do="forward", region="us-east-1", strategy="canary"),
        child("regional", "Crashed", 2, do="forward", region="us-east-1", strategy="canary"),
        child("regional", "Running", 4, do="forward", region="eu-west-1", strategy="canary"),
        child("regional", "Unchanged", 1, do="check", region="ap-southeast-1", strategy="rolling"),
    )
    assert (strategy, results) == ("canary", {"us-east-1": "success", "eu-west-1": "failure"})


def test_what_was_being_taken_back_when_it_was_killed_failed() -> None:
    strategy, results = killed(
        "production",
        child("region", "Completed", region="us-east-1", strategy="canary"),
        child("recover", "Running", 1, regions=["us-east-1", "eu-west-1"]),
    )
    assert (strategy, results) == ("canary", {"us-east-1": "failure"})


@pytest.mark.parametrize(
    "began",
    [
        child("recover", "Running", regions=["us-east-1"]),
        child("region", "Running", region="us-east-1", strategy="rolling"),
    ],
)
def test_a_killed_rollback_failed_and_is_no_rolling_release(began: Run) -> None:
    assert killed("rollback", began, to="v1.4.0") == ("rollback", {"us-east-1": "failure"})


def test_a_run_that_broke_off_by_an_error_of_ours_is_halted_where_it_had_begun() -> None:
    told = Outcome("production", "halted", "1.5.0", "canary", regions=released("us-east-1")).as_dict()
    children = (
        child("region", "Completed", region="us-east-1", strategy="canary"),
        child("region", "Failed", region="eu-west-1", strategy="canary"),
    )
    found = finished(run(state="Failed"), told, children, KNOWN)
    assert found is not None
    assert found.outcome == "halted"
    assert [(one.region, one.result) for one in found.regions] == [("us-east-1", "success"), ("eu-west-1", "failure")]


@pytest.mark.parametrize(
    ("pipeline", "state", "seconds", "expected"),
    [
        ("production", "Crashed", 5, True),
        ("production", "Crashed", 61, False),
        ("production", "Halted", 5, False),
        ("development", "Crashed", 5, False),
    ],
)
def test_a_run_that_has_just_crashed_may_go_on(pipeline: str, state: str, seconds: int, expected: bool) -> None:
    assert may_go_on(run(pipeline, state), WHEN + timedelta(seconds=seconds)) is expected


def test_what_goes_on_is_what_the_server_is_told_to_let_go_on() -> None:
    text = Path(__file__).parents[2].joinpath("deployments", "many", "automations.yaml").read_text()
    again = next(one for one in yaml.safe_load(text)["automations"] if one["trigger"]["posture"] == "Reactive")
    assert again["trigger"]["match_related"]["prefect.resource.name"] == list(GO_ON)


def test_a_run_whose_artifact_is_gone_is_told_by_its_states_name() -> None:
    found = finished(run(state="Recovered"), None, (), KNOWN)
    assert found is not None
    assert found.outcome == "recovered"


def test_labels_stay_few_whatever_a_run_was_called_with() -> None:
    told = Outcome("production", "released", strategy="x" * 900, regions=released("us-east-1", "a", "b"))
    found = of(told)
    assert found.strategy == "other"
    assert [one.region for one in found.regions] == ["us-east-1", "other"]
    guard = finished(run("guard", environment="nowhere"), {"word": "mended"}, (), KNOWN)
    assert guard is not None
    assert (guard.environment, guard.outcome) == ("other", "other")


def test_what_no_database_takes_is_left_out() -> None:
    found = of(Outcome("production", "refused", reason="a\0b\ud800c"), actor="\0")
    assert (found.reason, found.actor) == ("ab?c", "")


def test_a_flow_that_deploys_nothing_is_no_release() -> None:
    assert finished(run("retire"), {}, (), KNOWN) is None
