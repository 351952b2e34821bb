"""What counts as drift, and what does not."""

from __future__ import annotations

from dataclasses import replace

from release.drift import of_region, told
from release.model import Artifact, HelmRelease, Pod, Record, RegionState, Route, SlotState

GOOD = Artifact("1.4.0", "sha256:" + "a" * 64, "c" * 40)
BAD = "sha256:" + "b" * 64
LIVE = Record(GOOD, "green", 3, "values-1", "2026-01-01T00:00:00Z", "run")


def pods(digest: str, count: int = 2) -> tuple[Pod, ...]:
    return tuple(Pod(f"p{number}", digest, ready=True) for number in range(count))


RELEASE = HelmRelease("shop-green", 3, "deployed", "1.4.0", "a" * 40, "c" * 40, "values-1")
GREEN = SlotState("green", RELEASE, None, pods(GOOD.digest))
STATE = RegionState("us-east-1", SlotState("blue"), GREEN, Route(blue=0, green=100, live=LIVE))


def whats(state: RegionState) -> list[str]:
    return [drift.what for drift in of_region(state)]


def test_what_the_last_release_left_is_no_drift() -> None:
    assert of_region(STATE) == ()
    kept = SlotState("blue", replace(RELEASE, name="shop-blue", revision=9), None, pods(BAD))
    assert of_region(replace(STATE, blue=kept)) == (), "the slot of the rollback window is not live"


def test_where_nothing_was_recorded_there_is_nothing_to_compare() -> None:
    assert of_region(replace(STATE, route=None)) == ()
    assert of_region(replace(STATE, route=Route(blue=50, green=50))) == ()


def test_another_image_is_told_with_both_digests() -> None:
    (drift,) = of_region(replace(STATE, green=replace(GREEN, pods=pods(BAD))))
    assert (drift.what, drift.found) == ("what the pods run", BAD[:19])
    assert "v1.4.0" in drift.recorded
    mixed = replace(GREEN, pods=pods(BAD, 1) + pods(GOOD.digest, 1))
    assert whats(replace(STATE, green=mixed)) == ["what the pods run"]
    assert of_region(replace(STATE, green=replace(GREEN, pods=())))[0].found == "none Ready"


def test_users_elsewhere_are_told() -> None:
    (drift,) = of_region(replace(STATE, route=Route(blue=30, green=70, live=LIVE)))
    assert (drift.recorded, drift.found) == ("100 % in green", "70 % there")


def test_a_helm_release_that_somebody_else_made_is_told() -> None:
    for there in (replace(RELEASE, revision=4), replace(RELEASE, status="failed")):
        assert whats(replace(STATE, green=replace(GREEN, release=there))) == ["the Helm release of green"]
    assert of_region(replace(STATE, green=replace(GREEN, release=None)))[0].found == "gone"
    assert whats(replace(STATE, green=replace(GREEN, release=replace(RELEASE, config="values-2")))) == [
        "the hash of the chart's values"
    ]


def test_people_are_told_what_and_where() -> None:
    text = told("production", of_region(replace(STATE, green=replace(GREEN, pods=pods(BAD)))))
    assert "us-east-1: what the pods run is sha256:bbbbbbbbbbbb" in text
    assert "Next:" in text
    assert "runs what its last release left" in told("production", ())
