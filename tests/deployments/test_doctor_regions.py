"""What the examination of a region says of Gateway API."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config import load
from deployments import doctor_regions
from release.environment import Traffic


@pytest.mark.parametrize(
    ("traffic", "offered", "grade"),
    [("gateway", True, "ok"), ("gateway", False, "wrong"), ("service", False, "ok"), ("service", True, "ok")],
)
def test_gateway_api_is_missed_only_where_routes_send_the_users(traffic: Traffic, offered: bool, grade: str) -> None:
    region = replace(next(iter(load.environment("production").regions.values())), traffic=traffic)
    assert doctor_regions._gateway("us-east-1", region, offered=offered).grade == grade
