"""What is told of a release as it goes on, in Slack and on Prefect's page, and what an abort leaves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import ask
import httpx
import pytest
from desk import Desk, only, release
from look import Look, Regions

pytestmark = pytest.mark.slow


def bot(desk: Desk) -> Path:
    """The sandbox as a person sees it who configured a bot token instead of webhooks."""
    token = desk.home / "sandbox" / "secrets" / "slack"
    return desk.variant(tidegate={"slack": {"token": {"file": str(token)}, "webhooks": None}})


def messages(look: Look, since: float, channel: str = "releases") -> list[dict[str, Any]]:
    return [one for one in look.picture()["slack"] if one["channel"] == channel and one["at"] > since]


def test_a_release_is_one_thread_whose_first_message_says_how_it_is(desk: Desk, look: Look, another: str) -> None:
    began = time.time()
    assert desk.tidegate(*release(another), home=bot(desk)).word == "released"
    first, *rest = messages(look, began)
    assert f"{another} is live in production" in first["text"]
    assert first["thread"] is None and rest and {one["thread"] for one in rest} == {first["ts"]}
    assert first["edits"] > 0


def test_a_bad_canary_is_shown_with_its_chart(desk: Desk, look: Look, good: Regions, another: str) -> None:
    began = time.time()
    desk.users(20.0)
    desk.behave(another.removeprefix("v"), "us-east-1", error_rate=0.5)
    command = release(another, "--strategy", "canary", *only("us-east-1"))
    assert desk.tidegate(*command, home=bot(desk)).word == "recovered"
    look.back_on(good, "us-east-1")
    told, shown = messages(look, began, "incidents")
    assert "us-east-1  recovered" in told["text"]
    assert shown["thread"] == told["ts"]
    (file,) = shown["files"]
    assert file["title"] == f"us-east-1: {another} beside what is live"
    assert httpx.get(file["url"], trust_env=False).content.startswith(b"\x89PNG")


def test_an_abort_quarantines_nothing(desk: Desk, look: Look, good: Regions, another: str, slowly: Path) -> None:
    with desk.start(*release(another), home=slowly) as running:
        running.until("us-east-1: shop-", within=240)
        assert desk.tidegate("abort", desk.under_way(), "--reason", "a test").code == 0
        ended = running.end()
    assert (ended.word, ended.outcome["quarantined"]) == ("recovered", False), ended.text
    look.back_on(good, "us-east-1")
    assert desk.tidegate("quarantine", "list", "--json").outcome == {"quarantined": []}


def test_prefects_page_tells_the_release(desk: Desk, look: Look, good: Regions, another: str) -> None:
    with desk.start(*release(another)) as running:
        running.until("us-east-1: shop-", within=240)
        run = desk.tidegate("status", "--json").outcome["running"][0]["id"]
        under_way = {row["region"]: row["outcome"] for row in look.table("regions-production", run)}
        result = running.end()
    assert list(under_way) == ["us-east-1", "eu-west-1", "ap-southeast-1"]
    assert set(under_way.values()) <= {"waiting", "under way", "released"}
    assert {row["outcome"] for row in look.table("regions-production", run)} == {"released"}
    found = ask.artifacts(run)
    assert f"# {another} to production, rolling" in found["plan-production"]
    assert {row["result"] for row in found["checks-production"]} == {"ok"}
    assert "as users see it](http" in found["report-production"]
    page = look.run(run)
    assert (page["name"], page["state"]["name"]) == (f"{another} by ada", "Released")
    assert {"production", another, "rolling", "released", "us-east-1"} <= set(page["tags"])
    assert result.word == "released"
    back = desk.tidegate("rollback", "--reason", "a test")
    assert look.run(back.outcome["run"])["name"] == "to the last good version by ada"
