"""Backup before, maintenance mode while, and neither left behind: what users see of a release's surroundings."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import images
import pytest
from desk import Desk, only
from look import Look, Regions

from config import load
from release.model import Artifact

pytestmark = pytest.mark.slow
REGIONS = ("us-east-1", "eu-west-1")


@pytest.fixture
def candidate(desk: Desk, look: Look) -> Artifact:
    """A version that staging verified."""
    return images.made(desk)


def seen(region: str) -> tuple[int, bool, str | None]:
    """What a user sees: status, banner, Retry-After."""
    answer = httpx.get(load.environment("production").regions[region].address, timeout=5, trust_env=False)
    return answer.status_code, "X-Maintenance" in answer.headers, answer.headers.get("Retry-After")


def banner(*regions: str) -> Callable[[], bool]:
    return lambda: all(seen(region)[1] for region in regions)


def nobody_is_told() -> bool:
    return not any(seen(region)[1] for region in load.environment("production").regions)


def annotations(look: Look) -> list[str]:
    """The regions whose route still carries the annotation."""
    path = r"jsonpath={.metadata.annotations.tidegate\.dev/maintenance}"
    regions = load.environment("production").regions
    return [
        name
        for name, region in regions.items()
        if look.kubectl("get", "httproute", "shop", "-o", path, context=region.context)
    ]


def test_maintenance_goes_off_after_a_failure(desk: Desk, look: Look, good: Regions, candidate: Artifact) -> None:
    """The originals switched it on and never off. Back is gone to while users are sent away."""
    home = desk.variant(production={"maintenance": {"mode": "block"}})
    desk.behave(candidate.version, "eu-west-1", crashes=True)
    with desk.start("release", f"v{candidate.version}", *only(*REGIONS), home=home) as running:
        running.until(banner(*REGIONS))
        assert seen("us-east-1")[0] == 503
        assert seen("ap-southeast-1") == (200, False, None), "this region is not released"
        result = running.end()
    assert (result.word, annotations(look)) == ("recovered", []), result.text
    assert nobody_is_told()
    look.back_on(good, *REGIONS)
    assert look.picture()["backups"][-1].items() >= {"type": "pre-release", "tag": f"v{candidate.version}"}.items()
    events = [one["event"] for one in look.picture()["monitoring"] if one["version"] == f"v{candidate.version}"]
    assert events == ["deployment_start", "deployment_failure"]


def test_a_dead_release_s_maintenance_is_ended_by_a_person(
    desk: Desk, look: Look, good: Regions, candidate: Artifact
) -> None:
    home = desk.variant(production={"maintenance": {"mode": "banner"}})
    desk.behave(candidate.version, "us-east-1", ready_after=60)
    with desk.start("release", f"v{candidate.version}", *only("us-east-1"), home=home) as running:
        running.until("is being upgraded")
        running.kill()
    assert seen("us-east-1") == (200, True, None)
    ended = desk.tidegate("maintenance", "off", "production")
    assert (ended.code, annotations(look)) == (0, []), ended.text
    assert nobody_is_told()
    desk.tidegate("unlock", "production", "--reason", "killed by a test")
    desk.calm()
    desk.released("v1.4.0")


def test_a_dead_release_s_maintenance_lapses_by_itself(
    desk: Desk, look: Look, good: Regions, candidate: Artifact
) -> None:
    home = desk.variant(production={"maintenance": {"mode": "banner", "max_s": 20}})
    desk.behave(candidate.version, "us-east-1", ready_after=60)
    with desk.start("release", f"v{candidate.version}", *only("us-east-1"), home=home) as running:
        running.until(banner("us-east-1"))
        running.kill()
    deadline = time.monotonic() + 60
    while banner("us-east-1")():
        assert time.monotonic() < deadline, "it never lapsed"
    assert annotations(look) == ["us-east-1"]
    desk.tidegate("maintenance", "off")
    desk.tidegate("unlock", "production", "--reason", "killed by a test")
    desk.calm()
    desk.released("v1.4.0")


def test_block_sends_users_away_until_the_version_is_checked(
    desk: Desk, look: Look, good: Regions, candidate: Artifact
) -> None:
    home = desk.variant(production={"maintenance": {"mode": "block", "max_s": 600}})
    with desk.start("release", f"v{candidate.version}", *only("us-east-1"), home=home) as running:
        running.until(banner("us-east-1"))
        status, _, later = seen("us-east-1")
        result = running.end()
    assert (status, later is not None and 0 < int(later) <= 600) == (503, True)
    assert (result.code, result.word) == (0, "released"), result.text
    assert seen("us-east-1") == (200, False, None)
    assert nobody_is_told()
    desk.released("v1.4.0")


@pytest.mark.parametrize("strategy", ["blue-green", "canary"])
def test_block_is_refused_where_users_are_needed(
    desk: Desk, look: Look, good: Regions, candidate: Artifact, strategy: str
) -> None:
    before = look.versions()
    home = desk.variant(production={"maintenance": {"mode": "block"}})
    result = desk.tidegate("release", f"v{candidate.version}", "--strategy", strategy, home=home)
    assert (result.code, result.word) == (2, "refused"), result.text
    assert f"{strategy} needs them" in result.reason
    assert look.versions() == before


@pytest.mark.parametrize(("mode", "code", "word"), [("500", 5, "unavailable"), ("token", 2, "refused")])
def test_without_a_backup_no_region_is_touched(
    desk: Desk, look: Look, good: Regions, candidate: Artifact, mode: str, code: int, word: str
) -> None:
    home = None
    if mode == "token":
        wrong = desk.folder() / "token"
        wrong.write_text("wrong")
        home = desk.variant(tidegate={"backup": {"token": {"file": str(wrong)}}})
    else:
        desk.fault("backup", mode)
    made = len(look.picture()["backups"])
    result = desk.tidegate("release", f"v{candidate.version}", *only("us-east-1"), home=home)
    assert (result.code, result.word) == (code, word), result.text
    assert "backup" in result.reason
    assert look.digests() == good
    assert "is being upgraded" not in result.text
    assert len(look.picture()["backups"]) == made
    assert "was not started" in look.slack("releases")[-1]
