"""The slot that is kept for the rollback window, and its end."""

from __future__ import annotations

import pytest
from desk import Desk
from look import Look, Regions
from test_rollback import REGIONS, annotation, weights

pytestmark = pytest.mark.slow


def slots(look: Look, region: str) -> set[str]:
    context = f"production-{region}"
    return set(look.kubectl("get", "deployments", "-n", context, "-o", "name", context=context).split())


def test_only_a_slot_whose_window_is_over_is_removed(desk: Desk, look: Look, good: Regions, another: str) -> None:
    both = {"deployment.apps/shop-blue", "deployment.apps/shop-green"}
    long = desk.variant(production={"window_s": 86_400})
    asked = ("--strategy", "blue-green", "--accept-no-way-back")
    assert desk.tidegate("release", another, *asked, home=long).word == "released"
    live = look.digests()
    early = desk.tidegate("retire", "production")
    assert (early.code, early.word) == (0, "unchanged")
    assert {region: slots(look, region) for region in REGIONS} == dict.fromkeys(REGIONS, both)

    # The next release closes that window, keeps the other slot for one of its own, which is over at once.
    version = "v1.4.0" if another == "v1.6.0" else "v1.6.0"
    desk.stage(version)
    short = desk.variant(production={"window_s": 0})
    assert desk.tidegate("release", version, *asked, home=short).word == "released"
    split = {region: weights(look, region) for region in REGIONS}
    live = look.digests()
    result = desk.tidegate("retire")
    assert (result.code, result.word, set(result.regions().values())) == (0, "released", {"released"}), result.text
    for region in REGIONS:
        kept = "shop-blue" if split[region] == (100, 0) else "shop-green"
        assert slots(look, region) == {f"deployment.apps/{kept}"}
        assert annotation(look, region, "retire") == ""
        assert annotation(look, region, "live")
        assert annotation(look, region, "previous")
    assert {region: weights(look, region) for region in REGIONS} == split
    assert look.digests() == live
    again = desk.tidegate("retire", "production")
    assert (again.code, again.word) == (0, "unchanged")


def test_every_release_removes_what_is_due_first(desk: Desk, look: Look, good: Regions, another: str) -> None:
    short = desk.variant(production={"window_s": 0})
    asked = ("--strategy", "blue-green", "--accept-no-way-back")
    assert desk.tidegate("release", another, *asked, home=short).word == "released"
    other = "v1.4.0" if another == "v1.6.0" else "v1.6.0"
    desk.stage(other)
    result = desk.tidegate("release", other, "--accept-no-way-back")
    assert result.word == "released", result.text
    for region in REGIONS:
        assert f"{region}: {other} in " in result.text  # the slot that the release before it had kept
        assert result.text.index(f"{region}: {other} in ") < result.text.index("wave: us-east-1")


def test_an_unknown_environment_is_refused(desk: Desk) -> None:
    result = desk.tidegate("retire", "mars")
    assert (result.code, result.word) == (2, "refused")
