"""Samples from the table and from what is under way."""

from __future__ import annotations

from release.metrics import DURATIONS, RECOVERIES, Distribution, Family, Table, Total, combinations, of_table
from release.underway import Evidence, LockSeen, Now, Under, Weight, caught_up, evidence_of, families, pipeline_of

REGIONS = {"production": ("us-east-1", "eu-west-1"), "staging": ("staging",)}
KNOWN = combinations(REGIONS, {"production": ("rolling", "canary"), "rollback": ("rollback",)})


def by_name(found: list[Family]) -> dict[str, Family]:
    return {one.name: one for one in found}


def test_every_counter_is_there_at_zero_before_its_first_event() -> None:
    found = by_name(of_table(Table(), {}, KNOWN))
    for name in ("deployments", "deployments_success", "deployments_failed"):
        assert {value for _, value in found[name].samples} == {0}
        assert ("production", "us-east-1", "canary", "production") in dict(found[name].samples)
        assert ("production", "eu-west-1", "rollback", "rollback") in dict(found[name].samples)
        assert ("staging", "staging", "rolling", "staging") in dict(found[name].samples)
    assert dict(found["tidegate_incidents_prevented"].samples)["production", "canary"] == 0
    assert dict(found["tidegate_runs"].samples)["production", "production", "refused"] == 0
    assert dict(found["tidegate_release_halted"].samples) == {("production",): 0.0, ("staging",): 0.0}
    assert found["deployment_recovery_time_seconds"].samples == []
    assert len(dict(found["deployments"].samples)) == len(KNOWN)


def test_totals_take_the_place_of_zeros() -> None:
    labels = ("production", "us-east-1", "canary", "production")
    total = Total(
        labels,
        3,
        1,
        Distribution((0,) * 8 + (4,), 4, 700.0),
        Distribution((1,) * len(RECOVERIES), 1, 4.0),
        latest=4.0,
    )
    found = by_name(of_table(Table((total,), {}, {}, frozenset({"production"})), {}, KNOWN))
    assert dict(found["deployments"].samples)[labels] == 4
    assert dict(found["deployments_failed"].samples)[labels] == 1
    assert found["deployment_recovery_time_seconds"].samples == [(labels, 4.0)]
    assert found["deployment_finished_duration_seconds"].bounds == DURATIONS
    assert dict(found["tidegate_release_halted"].samples)[("production",)] == 1.0
    assert len(dict(found["deployments"].samples)) == len(KNOWN)


def test_what_is_timed_goes_on_after_the_look() -> None:
    now = Now(
        locks=(LockSeen("production", 10.0), LockSeen("staging")),
        releases=(Under("r", "production", "production", "canary", REGIONS["production"], 10.0),),
        weights=(Weight("production", "us-east-1", 90, 10, maintenance=True),),
        evidence=(Evidence("production", "us-east-1", 1.5, 6.9, 0.2, 2.0),),
        waiting={"production": [5.0, 9.0], "staging": []},
        sources={"prefect": False},
    )
    found = by_name(families(now, 2.0))
    assert dict(found["deployment_duration_seconds"].samples) == {
        ("production", region, "canary", "production"): 12.0 for region in REGIONS["production"]
    }
    assert dict(found["tidegate_lock_age_seconds"].samples) == {("production",): 12.0, ("staging",): 0.0}
    assert dict(found["tidegate_lock_held"].samples) == {("production",): 1.0, ("staging",): 0.0}
    assert dict(found["tidegate_approvals_waiting"].samples) == {("production",): 2.0, ("staging",): 0.0}
    assert dict(found["tidegate_approval_wait_seconds"].samples) == {("production",): 11.0, ("staging",): 0.0}
    assert dict(found["tidegate_traffic_weight_percent"].samples)["production", "us-east-1", "green"] == 10.0
    assert found["tidegate_maintenance"].samples == [(("production", "us-east-1"), 1.0)]
    assert dict(found["tidegate_verdict_evidence"].samples)["production", "us-east-1", "against"] == 1.5
    assert dict(found["tidegate_verdict_bound"].samples)["production", "us-east-1", "favour"] == 2.0
    assert found["tidegate_source_up"].samples == [(("prefect",), 0.0)]


def test_nothing_under_way_has_no_duration() -> None:
    found = by_name(families(Now(), 3.0))
    assert found["deployment_duration_seconds"].samples == []
    assert caught_up(None).samples == []


def test_the_pipeline_is_read_from_the_lock() -> None:
    assert pipeline_of("production v1.5.0") == "production"
    assert pipeline_of("rollback to v1.4.0") == "rollback"
    assert pipeline_of("retire in production") is None
    assert evidence_of({"against": 1}) is None
