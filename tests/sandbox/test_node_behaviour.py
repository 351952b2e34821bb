"""Image labels and overrides -> Behaviour."""

from __future__ import annotations

import pytest

from sandbox.node.behaviour import from_labels, overridden
from sandbox.world import LABEL, Behaviour


def labels(**values: str) -> dict[str, str]:
    return {LABEL + name.replace("_", "-"): value for name, value in values.items()} | {"other": "1"}


def test_an_image_without_labels_behaves_well() -> None:
    assert from_labels({"org.opencontainers.image.version": "1.4.0"}, "us-east-1") == Behaviour()


@pytest.mark.parametrize(
    ("value", "region", "expected"),
    [
        ("everywhere", "us-east-1", True),
        ("us-east-1", "us-east-1", True),
        ("eu-west-1, ap-southeast-1", "ap-southeast-1", True),
        ("eu-west-1", "us-east-1", False),
        ("", "us-east-1", False),
    ],
)
def test_crash_and_never_ready_name_regions(value: str, region: str, expected: bool) -> None:
    found = from_labels(labels(crash=value, never_ready=value), region)
    assert (found.crashes, found.never_ready) == (expected, expected)


def test_numbers_and_flags() -> None:
    found = from_labels(
        labels(crash_code="3", ready_after="2.5", latency="0.1", stops_at_sigterm="true", error_rate="0.2"), "x"
    )
    assert found == Behaviour(crash_code=3, ready_after=2.5, latency=0.1, stops_at_sigterm=True, error_rate=0.2)


@pytest.mark.parametrize(("region", "expected"), [("us-east-1", 0.2), ("eu-west-1", 0.5), ("staging", 0.0)])
def test_an_error_rate_a_region(region: str, expected: float) -> None:
    assert from_labels(labels(error_rate="us-east-1=0.2, eu-west-1=0.5"), region).error_rate == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("error-rate", "1.5"), ("latency", "soon"), ("ready-after", "-1"), ("stops-at-sigterm", "yes")],
)
def test_a_value_that_cannot_be_read_names_its_label(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=LABEL + name):
        from_labels({LABEL + name: value}, "us-east-1")


def test_the_closest_override_wins() -> None:
    overrides: dict[tuple[str, str], dict[str, object]] = {
        ("*", "*"): {"latency": 1.0, "error_rate": 0.1, "unknown": 1},
        ("*", "1.5.0"): {"error_rate": 0.2},
        ("us-east-1", "*"): {"error_rate": 0.3},
        ("us-east-1", "1.5.0"): {"crashes": True},
    }
    found = overridden(Behaviour(), overrides, "us-east-1", "1.5.0")
    assert found == Behaviour(latency=1.0, error_rate=0.3, crashes=True)
    assert overridden(Behaviour(), overrides, "eu-west-1", "1.4.0") == Behaviour(latency=1.0, error_rate=0.1)
