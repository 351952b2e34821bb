"""Going back to an earlier version, on a person's word."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import ask
import pytest
from desk import PODS, Desk, Result, only
from look import Look, Regions

from sandbox.shop import history
from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")


def lines(result: Result) -> list[str]:
    return [line.split("  ", 1)[-1].strip() for line in result.text.splitlines()]


def at(result: Result, part: str) -> int:
    """The place of the first line with that in it."""
    return next(number for number, line in enumerate(lines(result)) if part in line)


def weights(look: Look, region: str) -> tuple[int, int]:
    return look.weights(region)


def annotation(look: Look, region: str, name: str) -> str:
    path = "jsonpath={.metadata.annotations.tidegate\\.dev/" + name + "}"
    context = f"production-{region}"
    return look.kubectl("get", "httproute", "shop", "-n", context, "-o", path, context=context)


def test_a_rollback_without_a_reason_or_to_a_later_version_is_refused(desk: Desk, look: Look, good: Regions) -> None:
    before = look.digests()
    blank = desk.tidegate("rollback", "--reason", " ")
    assert (blank.code, blank.word) == (2, "refused")
    assert "reason" in blank.reason
    unknown = desk.tidegate("rollback", "--to", "v9.9.9", "--reason", "x")
    assert (unknown.code, unknown.word) == (2, "refused")
    assert "never released" in unknown.reason
    assert look.digests() == before


def test_a_rolling_release_is_taken_back_to_the_version_before(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    version = look.live()["us-east-1"]["version"]
    assert desk.tidegate("release", another, "--accept-no-way-back").word == "released"
    result = desk.tidegate("rollback", "--reason", "checkout fails")
    assert (result.code, result.word, result.outcome["version"]) == (0, "released", version), result.text
    assert result.regions() == dict.fromkeys(reversed(REGIONS), "released")
    assert look.digests() == good
    assert "built" not in result.text
    assert all(f"{region}: health probe answered" in result.text for region in REGIONS)
    # Everybody is told.
    picture = look.picture()
    assert picture["monitoring"][-1]["event"] == "rollback_success"
    assert picture["monitoring"][-1]["version"] == f"v{version}"
    incident = look.slack("incidents")[-1]
    for part in (f"back on v{version}", "checkout fails", f"{another} was taken back", *REGIONS, "ada"):
        assert part in incident
    assert f"v{version} is live again" in look.slack("releases")[-1]
    commit = git(desk.bare, "rev-parse", f"v{version}^{{commit}}").strip()
    told = look.deployments(commit)
    assert {told[f"production-{region}"][-1] for region in REGIONS} == {"success"}
    left = look.deployments(git(desk.bare, "rev-parse", f"{another}^{{commit}}").strip())
    assert {left[f"production-{region}"][-1] for region in REGIONS} == {"inactive"}
    # The bad version is nothing to go back to.
    again = desk.tidegate("rollback", "--reason", "again")
    assert (again.code, again.word) == (2, "refused")
    assert f"no earlier version than v{version}" in again.reason


def test_inside_the_window_it_is_one_write_of_the_weights_in_all_regions_first(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    asked = ("release", another, "--strategy", "blue-green", "--accept-no-way-back")
    assert desk.tidegate(*asked).word == "released"
    before = {region: weights(look, region) for region in REGIONS}
    # Nothing but the clusters is needed for it.
    for name in ("git", "github", "slack", "registry"):
        desk.fault(name, "refused")
    result = desk.tidegate("rollback", "--reason", "errors")
    assert (result.code, result.word) == (0, "released"), result.text
    desk.calm()
    assert look.digests() == good
    assert {region: weights(look, region) for region in REGIONS} == {
        region: (green, blue) for region, (blue, green) in before.items()
    }
    assert "is being upgraded" not in result.text
    shifted = [at(result, f"{region}: {slot} now has 100 %") for region in REGIONS for slot in _slots(before[region])]
    assert max(shifted) < at(result, "going back")
    removed = [line for line in lines(result) if "removed shop-" in line]
    assert len(removed) == len(REGIONS)


def _slots(before: tuple[int, int]) -> tuple[str]:
    """The slot that had no users."""
    return ("blue",) if before[0] == 0 else ("green",)


def test_a_named_version_is_deployed_in_place_wave_by_wave(desk: Desk, look: Look, good: Regions, another: str) -> None:
    newest, _ = desk.add_version()
    for tag in ("v1.4.0", "v1.6.0", f"v{newest}"):
        desk.released(tag)
    result = desk.tidegate("rollback", "--to", "v1.4.0", "--reason", "prices are wrong")
    assert (result.code, result.word, result.outcome["version"]) == (0, "released", "1.4.0"), result.text
    assert look.digests() == dict.fromkeys(REGIONS, (desk.stage("v1.4.0").outcome["digest"], PODS))
    assert at(result, "wave: us-east-1") < at(result, "us-east-1: v1.4.0 is live") < at(result, "wave: eu-west-1")
    assert all(f"{region}: smoke-production passed" in result.text for region in REGIONS)
    assert f"v{newest} was taken back: prices are wrong" in look.slack("incidents")[-1]
    # What it replaced is nothing to go back to, and what is later is no way back.
    assert [annotation(look, region, "previous") for region in REGIONS] == ["", "", ""]
    later = desk.tidegate("rollback", "--to", "v1.6.0", "--reason", "x")
    assert (later.code, later.word) == (2, "refused")
    assert "tidegate release v1.6.0" in later.outcome["next_step"]


def test_regions_on_different_versions_need_a_word(desk: Desk, look: Look, good: Regions, another: str) -> None:
    version = look.live()["us-east-1"]["version"]
    desk.tidegate("release", another, "--accept-no-way-back", *only("us-east-1"))
    result = desk.tidegate("rollback", "--reason", "x")
    assert (result.code, result.word) == (2, "refused")
    assert f"us-east-1 {another}, eu-west-1 v{version}" in result.reason
    back = desk.tidegate("rollback", "--reason", "x", *only("us-east-1"))
    assert (back.code, back.regions()) == (0, {"us-east-1": "released"})
    assert look.digests() == good


def test_what_a_dead_release_left_half_way_is_taken_back(desk: Desk, look: Look, good: Regions, another: str) -> None:
    with desk.start("release", another, "--accept-no-way-back") as running:
        running.until("us-east-1: shop-blue is being upgraded", within=240)
        running.kill()
    desk.tidegate("unlock", "production", "--reason", "it was killed")
    result = desk.tidegate("rollback", "--reason", "it was killed")
    assert (result.code, result.word) == (0, "released"), result.text
    assert result.regions()["us-east-1"] == "released"
    assert look.digests() == good
    # Who approved it then did not approve it over what a person took back.
    desk.people(approve=False)
    with desk.start("release", another, "--accept-no-way-back") as running:
        running.until("2 people must approve: nobody has yet")


@pytest.fixture
def irreversible(desk: Desk) -> Iterator[str]:
    """A tag on main whose file declares an irreversible migration; later commits of main do not."""
    template = (Path(history.TEMPLATE) / "tidegate.yaml").read_text()
    newest = max(tag for tag in _versions(desk))
    version = f"{newest[0]}.{newest[1] + 1}.0"
    said = f"migrations:\n  - {{name: split-orders, version: {version}, irreversible: true}}\n"
    history.add_commit(
        desk.bare, "main", "feat: split orders", {"tidegate.yaml": template.replace("migrations: []\n", said)}
    )
    made, _ = desk.add_version()
    assert made == version
    history.add_commit(desk.bare, "main", "chore: forget it", {"tidegate.yaml": template})
    desk.stage(f"v{version}")
    yield f"v{version}"
    desk.released("v1.4.0")


def _versions(desk: Desk) -> list[tuple[int, ...]]:
    return [tuple(int(part) for part in tag.removeprefix("v").split(".")) for tag in git(desk.bare, "tag").split()]


def test_nothing_goes_back_over_an_irreversible_migration(
    desk: Desk, look: Look, good: Regions, irreversible: str
) -> None:
    # By itself: the version is bad in the second wave, and the first one stays as it is.
    desk.behave(irreversible.removeprefix("v"), "eu-west-1", crashes=True)
    failed = desk.tidegate("release", irreversible, "--accept-no-way-back")
    assert (failed.code, failed.word) == (4, "halted"), failed.text
    assert "split-orders" in failed.reason
    assert "tidegate hotfix" in failed.outcome["next_step"]
    assert failed.regions()["us-east-1"] == "halted"
    assert failed.reason.count("split-orders") == 1
    assert look.live()["us-east-1"]["version"] == irreversible.removeprefix("v")
    assert "<!here>" in look.slack("incidents")[-1]
    # On a person's word: nothing is changed, and it says what to decide.
    desk.calm()
    eu = "production-eu-west-1"
    look.kubectl("delete", "pods", "--all", "-n", eu, "--wait=false", context=eu)  # those that crashed go on crashing
    assert desk.tidegate("release", irreversible, "--accept-no-way-back").word == "released"
    for more in ((), ("--to", "v1.4.0")):
        before, began = look.digests(), time.time()
        result = desk.tidegate("rollback", "--reason", "orders are lost", *more)
        assert (result.code, result.word) == (4, "halted"), result.text
        assert "split-orders" in result.reason
        assert "Decide" in result.outcome["next_step"]
        assert look.digests() == before
        page = [one["text"] for one in look.picture()["slack"] if one["at"] > began and one["channel"] == "incidents"]
        assert len(page) == 1
        for part in ("HALTED", "<!here>", "split-orders", "orders are lost", "tidegate hotfix"):
            assert part in page[0]
        assert look.picture()["monitoring"][-1]["event"] == "rollback_failure"
    assert ask.log(result.outcome["run"])
