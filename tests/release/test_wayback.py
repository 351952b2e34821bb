from __future__ import annotations

import json

import pytest
from preparation import NEW, OLD, app, region

from release import wayback
from release.model import Artifact
from release.wayback import FIRST, WayBack


def test_it_leads_to_what_is_live_in_production():
    assert wayback.target([region(OLD)], NEW, app()) == OLD


def test_a_first_version_has_none():
    assert wayback.target([region(None)], NEW, app()) == FIRST
    assert wayback.target([region(NEW)], NEW, app()) == FIRST
    assert str(FIRST) == "none: first version"


def test_a_version_that_is_live_leads_to_the_one_before_it():
    assert wayback.target([region(NEW, previous=OLD)], NEW, app()) == OLD


def test_an_irreversible_migration_leaves_none():
    found = wayback.target([region(OLD)], NEW, app({"name": "drop-prices", "version": "1.5.0", "irreversible": True}))
    assert isinstance(found, WayBack)
    assert (found.result, str(found)) == ("none", "none: irreversible migration drop-prices")


@pytest.mark.parametrize("version", ["1.4.0", "1.3.0"])
def test_a_migration_that_is_live_already_is_no_obstacle(version: str):
    assert wayback.target([region(OLD)], NEW, app({"name": "old", "version": version, "irreversible": True})) == OLD


def test_where_regions_differ_it_leads_to_the_first_one_s():
    older = Artifact("1.3.0", "sha256:" + "3" * 64, "c" * 40)
    assert wayback.target([region(None), region(older), region(OLD)], NEW, app()) == older


def test_it_survives_the_registry():
    found = WayBack("rehearsed", "1.4.0", "sha256:1", 3.44, 4.56, 120.0)
    again = wayback.from_dict(json.loads(json.dumps(found.as_dict())))
    assert again == WayBack("rehearsed", "1.4.0", "sha256:1", 3.4, 4.6, 120.0)
    assert str(again) == "back to v1.4.0 in 3.4 s, forward again in 4.6 s"


@pytest.mark.parametrize("data", [None, "", [], {}, {"result": "fine"}, {"result": "rehearsed", "back_s": "soon"}])
def test_what_is_no_way_back_is_not_read_as_one(data: object):
    assert wayback.from_dict(data) is None


def test_a_hotfix_says_where_back_is_and_that_nobody_tried():
    found = wayback.of_hotfix([region(OLD)], NEW, app())
    assert (found.result, found.version, found.digest) == ("untried", OLD.version, OLD.digest)
    assert wayback.from_dict(found.as_dict()) == found
    assert str(found).startswith("not rehearsed, to v1.4.0: ")


def test_a_hotfix_over_an_irreversible_migration_has_none():
    migration = {"name": "drop-prices", "version": "1.5.0", "irreversible": True}
    assert wayback.of_hotfix([region(OLD)], NEW, app(migration)).result == "none"


def test_the_budget_is_for_going_back_and_forward_again():
    assert WayBack("rehearsed", back_s=70.0, forward_s=50.0, budget_s=120.0).in_time
    late = WayBack("rehearsed", "1.4.0", back_s=70.0, forward_s=50.1, budget_s=120.0)
    assert not late.in_time
    assert str(late).endswith("forward again in 50.1 s, together longer than the budget of 120 s")
