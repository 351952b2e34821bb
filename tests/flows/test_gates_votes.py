"""The gates on the sandbox: votes by code, what they bind, and a wait that holds nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import ask
import pytest
from desk import Desk, Running, release
from look import Look, Regions

pytestmark = pytest.mark.slow


def waiting(running: Running) -> str:
    """The beginning of the run's id, from the line that says how to approve it."""
    running.until("tidegate approve ")
    return running.text.split("tidegate approve ")[1][:8]


def test_two_others_by_code_let_a_release_pass(desk: Desk, look: Look, good: Regions, another: str) -> None:
    desk.people(approve=False)
    before = look.versions()
    with desk.start(*release(another), actor="ada") as running:
        run = waiting(running)
        assert "who asked cannot approve" in desk.vote(run, "ada").text
        assert "the code is wrong" in desk.vote(run, "bob", code="000000").text
        used = desk.code("bob")
        assert "1 more must approve" in desk.vote(run, "bob", code=used).text
        assert "used before" in desk.vote(run, "bob", code=used).text
        assert look.versions() == before, "what waits holds no lock and changes nothing"
        assert "that is enough" in desk.vote(run, "eve").text
        result = running.end()
    assert (result.code, result.word) == (0, "released"), result.text
    assert "approved by bob, eve" in result.text
    rows = {row["gate"]: row["stands"] for row in ask.artifacts(result.outcome["run"])["gates-production"]}
    assert rows == dict.fromkeys(("branch", "freeze", "approvals", "timer"), "passed")
    asked = [text for text in look.slack("releases") if f"tidegate approve {run}" in text]
    assert len(asked) == 1
    assert f"{another} (sha256:" in asked[0]


def test_the_form_in_prefect_takes_a_code_and_one_no_refuses(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    desk.people(approve=False)
    with desk.start(*release(another), actor="bob") as running:
        run = ask.whole(waiting(running))
        waits = lambda: look.run(run)["state"]["name"] == "AwaitingApproval"  # noqa: E731
        running.until(waits)
        assert ask.resume(run, {}) == "REJECT"
        form = {"approver": "eve", "code": "000000", "decision": "approve", "reason": "a guess"}
        assert ask.resume(run, form) == "ACCEPT"
        running.until("an answer of the form does not count: code: the code is wrong")
        running.until(waits)
        form |= {"approver": "ada", "code": desk.code("ada"), "decision": "reject", "reason": "the sale begins"}
        assert ask.resume(run, form) == "ACCEPT"
        result = running.end()
    assert (result.code, result.word) == (2, "refused"), result.text
    assert result.reason == "gates: ada rejected it: the sale begins"
    assert look.digests() == good


def test_votes_outlive_a_run_that_was_killed(desk: Desk, look: Look, good: Regions, another: str) -> None:
    desk.people(approve=False)
    with desk.start(*release(another)) as running:
        assert desk.vote(waiting(running), "bob").code == 0
        running.kill()
    with desk.start(*release(another)) as running:
        running.until("bob approved")
        assert desk.vote(waiting(running), "eve").code == 0
        assert running.end().word == "released"


def test_another_release_meanwhile_makes_approvals_worthless(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    live = next(iter(look.live().values()))["version"]
    third, _ = desk.add_version()
    desk.stage(f"v{third}")
    desk.people(approve=False)
    with desk.start(*release(another), actor="ada") as running:
        run = waiting(running)
        assert desk.vote(run, "bob").code == 0
        with desk.start(*release(f"v{third}", "--break-glass", "the fire drill"), actor="eve") as other:
            assert desk.vote(waiting(other), "eve").code == 0
            assert other.end().word == "released"
        assert desk.vote(run, "eve").code == 0
        running.until("'s vote does not count")
        assert f"had v{live} live then and has v{third} now" in running.text
        desk.people(approve=True)
        assert running.end().word == "released"
    assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}


def test_a_freeze_refuses_and_broken_glass_is_one_proven_persons(
    desk: Desk, look: Look, good: Regions, another: str
) -> None:
    start = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:00")
    freeze = {"name": "the sale", "start": start, "duration": "PT3H"}
    home = desk.variant(production={"gates": {"freezes": [freeze]}})
    refused = desk.tidegate(*release(another), home=home)
    assert (refused.code, refused.word) == (2, "refused")
    assert "nothing is released during 'the sale'" in refused.reason
    assert look.digests() == good
    with desk.start(*release(another, "--break-glass", "checkout is down"), home=home, actor="ada") as running:
        run = waiting(running)
        time.sleep(1)
        assert running.process.poll() is None, "people who may only approve cannot break glass"
        assert desk.vote(run, "ada").code == 0
        assert running.end().word == "released"
    told = [text for text in look.slack("incidents") if "Break-glass" in text]
    assert "ada let production of shop" in told[-1]
    assert "checkout is down" in told[-1]
