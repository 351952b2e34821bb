from __future__ import annotations

import json

import pytest

from release import maintenance
from release.errors import Refused


@pytest.mark.parametrize("strategy", ["blue-green", "canary"])
def test_users_who_are_needed_are_not_sent_away(strategy: str):
    with pytest.raises(Refused, match=f"{strategy} needs them"):
        maintenance.require_possible("block", strategy, ())
    maintenance.require_possible("banner", strategy, ())
    maintenance.require_possible("off", strategy, ())


def test_a_blocked_address_needs_another_one_to_be_checked_at():
    maintenance.require_possible("block", "rolling", ())
    with pytest.raises(Refused, match="no preview address in eu-west-1"):
        maintenance.require_possible("block", "rolling", ("eu-west-1",))
    maintenance.require_possible("banner", "rolling", ("eu-west-1",))


def test_the_annotation_ends():
    said = json.loads(maintenance.annotation("banner", "2026-11-23T10:00:00Z"))
    assert said == {"mode": "banner", "until": "2026-11-23T10:00:00Z"}


@pytest.mark.parametrize("spoilt", ["", "yes", "{}", '{"until": "soon"}', '{"until": 7}', "[]"])
def test_an_annotation_that_somebody_has_spoilt_is_none(spoilt: str) -> None:
    assert maintenance.until(spoilt) == 0


def test_when_it_lapses_is_read_back() -> None:
    assert maintenance.until(maintenance.annotation("banner", "2026-01-05T10:00:00Z")) == 1767607200
