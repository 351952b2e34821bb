"""Staging's second half: the tests against what was deployed, and the way back, rehearsed under load."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from desk import Desk, only
from look import Look, Regions

from clients.lock import Lock
from config import load
from release import verification
from release.locking import Holder
from sandbox.shop import history
from tasks import context

pytestmark = pytest.mark.slow
STAGING = "staging"


def record(commit: str) -> dict[str, Any] | None:
    """What staging wrote of a commit into the registry."""

    async def read() -> dict[str, Any] | None:
        async with await context.registry() as registry:
            found = await registry.read_record(verification.tag_of(commit))
        return None if found is None else dict(found)

    return asyncio.run(read())


def live_version(look: Look) -> str:
    (version,) = {one["version"] for one in look.live().values()}
    return str(version)


def test_the_way_back_is_rehearsed_and_timed_under_load(desk: Desk, look: Look, good: Regions) -> None:
    version, commit = desk.add_version()
    staged = desk.tidegate("stage", f"v{version}")
    assert (staged.code, staged.word) == (0, "released"), staged.text
    order = ("smoke passed", "performance passed", "acceptance passed", "load passed", "rehearses the way back")
    assert [staged.text.index(line) for line in order] == sorted(staged.text.index(line) for line in order)
    written = record(commit)
    assert written is not None
    back = written["way_back"]
    assert (back["result"], back["version"], back["digest"]) == ("rehearsed", live_version(look), good["us-east-1"][0])
    assert 0 < back["back_s"] < back["budget_s"] == 120
    assert 0 < back["forward_s"] < 120
    assert look.digests(STAGING) == {STAGING: (staged.outcome["digest"], 3)}
    # The load test ran again and again while the versions changed places.
    assert staged.text.partition("rehearses the way back")[2].count("load passed") >= 2
    # A budget that is too small for it: production refuses.
    home = desk.variant(staging={"rehearsal": {"budget_s": 0.1}})
    late = desk.tidegate("stage", f"v{version}", home=home)
    assert (late.word, "longer than the budget" in late.outcome["warnings"][0]) == ("released", True), late.text
    assert "longer than the budget of 0.1 s" in look.slack("deployments")[-1]
    refused = desk.tidegate("release", f"v{version}", *only("us-east-1"))
    assert (refused.code, "longer than the budget" in refused.reason) == (2, True), refused.text


@pytest.mark.parametrize("fault", [{"crashes": True}, {"error_rate": 0.5}], ids=["it crashes", "the load test fails"])
def test_a_way_back_that_fails_is_kept_from_production(
    desk: Desk, look: Look, good: Regions, fault: dict[str, Any]
) -> None:
    version, commit = desk.add_version()
    desk.behave(live_version(look), STAGING, **fault)
    staged = desk.tidegate("stage", f"v{version}")
    assert (staged.code, staged.word) == (0, "released"), staged.text
    assert look.digests(STAGING) == {STAGING: (staged.outcome["digest"], 3)}, "it is forward again"
    written = record(commit)
    assert written is not None
    assert written["way_back"]["result"] == "failed"
    assert "Production will refuse it" in look.slack("deployments")[-1]
    refused = desk.tidegate("release", f"v{version}", *only("us-east-1"), "--accept-no-way-back")
    assert (refused.code, refused.word) == (2, "refused"), refused.text
    assert refused.reason.startswith("pre-deployment checks: way back: failed")
    assert look.digests() == good


def test_a_version_that_does_not_come_again_is_not_verified(desk: Desk, look: Look, good: Regions) -> None:
    version, commit = desk.add_version()
    with desk.start("stage", f"v{version}") as running:
        running.until("rehearses the way back")
        desk.behave(version, STAGING, crashes=True)
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert "CrashLoopBackOff" in result.reason
    look.back_on({STAGING: (good["us-east-1"][0], 3)}, environment=STAGING)
    assert record(commit) is None
    assert "Staging was brought back" in look.slack("deployments")[-1]


@pytest.mark.parametrize(
    ("fault", "says"),
    # Which of these meets an error first is chance.
    [({"latency": 0.7}, "performance failed"), ({"error_rate": 0.05}, "the application failed")],
    ids=["slow", "errors"],
)
def test_a_version_that_fails_where_it_was_deployed_is_taken_back(
    desk: Desk, look: Look, good: Regions, fault: dict[str, Any], says: str
) -> None:
    before = look.digests(STAGING)
    version, commit = desk.add_version()
    desk.behave(version, STAGING, **fault)
    result = desk.tidegate("stage", f"v{version}", actor="grace")
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert says in result.reason
    look.back_on(before, environment=STAGING)
    assert record(commit) is None
    told = look.slack("deployments")[-1]
    for part in (f"Version: v{version}", f"Commit: {commit[:12]}", "Actor: grace"):
        assert part in told
    assert look.deployments(commit)[STAGING] == ["in_progress", "failure"]


@contextmanager
def lock_held(environment: str) -> Iterator[None]:
    """Somebody else holds the environment's lock."""
    region = next(iter(load.environment(environment).regions.values()))
    me = Holder("somebody-else", "grace", f"{environment} v0.0.1")

    async def with_lock(method: str, *arguments: Any) -> None:
        settings = load.settings()
        async with Lock(settings.kubeconfig, region.context, region.namespace, settings.application.name) as lock:
            await getattr(lock, method)(me, *arguments)

    asyncio.run(with_lock("acquire", 600.0))
    try:
        yield
    finally:
        asyncio.run(with_lock("release"))


def test_a_newer_push_supersedes_a_run_that_waits(desk: Desk, look: Look, good: Regions) -> None:
    version, _ = desk.add_version()
    before = look.digests(STAGING)
    with lock_held(STAGING), desk.start("stage", "main", "--version", version, "--wait") as running:
        running.until("waiting for staging v0.0.1, started by grace")
        newer = history.add_commit(desk.bare, "main", "fix: something newer")
        result = running.end()
    assert (result.code, result.word) == (2, "refused"), result.text
    assert f"superseded by {newer[:12]}" in result.reason
    assert look.digests(STAGING) == before
