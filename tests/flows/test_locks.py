"""One release at a time: who comes second is told, and who takes the lock away is written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import Desk, only, release
from look import Look, Regions

pytestmark = pytest.mark.slow


@pytest.fixture
def good(desk: Desk, look: Look, good: Regions) -> Regions:
    """As everywhere, and staging rehearsed its way back, as a hotfix's was not: it can be asked for again."""
    if {one["version"] for one in look.live().values()} <= {"1.4.0", "1.6.0"}:
        return good
    desk.released("v1.4.0")
    return look.digests()


@pytest.fixture
def differently(desk: Desk) -> Path:
    """A home in which the live version has other values, so that there is something to release."""
    return desk.variant(production={"values": {"podAnnotations": {"changed": "yes"}}})


def test_of_two_releases_at_once_the_second_is_told_who_holds_the_lock(
    desk: Desk, look: Look, another: str, slowly: Path, differently: Path
) -> None:
    live = look.live()["us-east-1"]["version"]
    with desk.start(*release(another), home=slowly, actor="ada") as first:
        first.until("being upgraded")
        second = desk.tidegate(*release(f"v{live}"), home=differently, actor="bob")
        assert (second.code, second.word) == (2, "refused"), second.text + first.text
        assert f"lock: production {another} holds the lock: started by ada" in second.reason
        assert "tidegate unlock" in second.outcome["next_step"]
        desk.calm()
        result = first.end()
    assert (result.code, result.word) == (0, "released"), result.text
    assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}


def test_a_release_that_waits_goes_on_when_the_lock_is_free(
    desk: Desk, look: Look, another: str, slowly: Path, differently: Path
) -> None:
    live = look.live()["us-east-1"]["version"]
    second_command = release(f"v{live}", "--wait", *only("us-east-1"))
    with desk.start(*release(another), home=slowly, actor="ada") as first:
        first.until("being upgraded")
        with desk.start(*second_command, home=differently, actor="bob") as second:
            second.until(f"waiting for production {another}, started by ada")
            desk.calm()
            assert first.end().word == "released"
            assert second.end().word == "released"
    versions = {name: one["version"] for name, one in look.live().items()}
    assert versions == {"us-east-1": live} | dict.fromkeys(("eu-west-1", "ap-southeast-1"), another.removeprefix("v"))
    desk.released(another)


def test_a_lock_that_a_person_takes_away_stops_the_release(desk: Desk, look: Look, another: str, slowly: Path) -> None:
    with desk.start(*release(another), home=slowly, actor="ada") as running:
        running.until("being upgraded")
        unlocked = desk.tidegate("unlock", "production", "--reason", "the fire drill", actor="eve")
        assert unlocked.code == 0, unlocked.text
        assert f"Taken from production {another} (started by ada" in unlocked.text, running.text
        result = running.end()
    assert (result.code, result.word) == (4, "halted"), result.text
    assert "was taken away while it ran" in result.reason
    assert look.run(result.outcome["run"])["state"]["name"] == "Halted"
    assert "HALTED" in look.slack("incidents")[-1]
    lease = json.loads(look.kubectl("get", "lease", "tidegate-shop", "-o", "json", context="production-us-east-1"))
    last = json.loads(lease["metadata"]["annotations"]["tidegate.dev/history"])[-1]
    assert (last["how"], last["who"], last["reason"]) == ("broken", "eve", "the fire drill")
    assert last["holder"]["what"] == f"production {another}"
    assert not lease["spec"].get("holderIdentity")
    desk.calm()
    desk.released(another)


def test_nobody_holds_a_lock_that_is_free(desk: Desk, good: Regions) -> None:
    result = desk.tidegate("unlock", "production", "--reason", "to be sure")
    assert (result.code, result.text.strip()) == (0, "Nobody held the lock of production.")
