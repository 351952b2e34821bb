"""One thread a run and channel with a bot token, on a Slack that answers as Slack does; plain messages without one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from prefect.logging import disable_run_logger

from release.errors import Unavailable
from release.verdict import Policy, record
from sandbox.services.slack import Slack
from tasks import notify, pictures, threads

TOKEN = "xoxb-1234"


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[Slack]:
    server = Slack(("releases", "incidents"), TOKEN)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    (tmp_path / "overlay").mkdir()
    return tmp_path


def configure(home: Path, slack: Slack, *, bot: bool) -> None:
    settings: dict[str, object] = {"url": slack.url}
    if bot:
        (home / "token").write_text(TOKEN)
        settings["token"] = {"file": str(home / "token")}
    else:
        (home / "webhook").write_text(slack.webhooks["releases"])
        settings["webhooks"] = {
            channel: {"env": None, "file": str(home / "webhook")}
            for channel in ("releases", "deployments", "incidents")
        }
    (home / "overlay" / "tidegate.yaml").write_text(yaml.safe_dump({"slack": settings}))


async def test_the_first_message_begins_the_thread_and_is_edited(slack: Slack, home: Path) -> None:
    configure(home, slack, bot=True)
    told = threads.begin()
    await notify.post("releases", "v1 begins")
    await notify.post("releases", "a wave is done")
    await notify.post("incidents", "v1 is bad")
    for number in range(5):
        told.edit("releases", f"v1 at {number}")
    await told.settle()
    first, reply = slack.channel("releases")
    assert (first.text, first.thread, reply.thread) == ("v1 at 4", None, first.ts)
    assert first.edits == 1
    assert [one.thread for one in slack.channel("incidents")] == [None]


async def test_a_run_that_goes_on_after_a_dead_one_goes_on_under_its_messages(slack: Slack, home: Path) -> None:
    configure(home, slack, bot=True)
    kept: list[str] = []

    async def keep(text: str) -> None:
        kept.append(text)

    threads.begin().keep = keep
    await notify.post("releases", "v1 begins")
    again = threads.begin()
    again.adopt(kept[-1])
    await notify.post("releases", "goes on")
    again.edit("releases", "v1 is live")
    await again.settle()
    first, reply = slack.channel("releases")
    assert (first.text, reply.thread) == ("v1 is live", first.ts)
    for spoilt in ("", "nonsense", "[1]"):
        again.adopt(spoilt)
    assert json.loads(again.text) == json.loads(kept[-1])


async def test_a_thread_that_cannot_be_written_down_is_a_thread_all_the_same(slack: Slack, home: Path) -> None:
    configure(home, slack, bot=True)

    async def keep(text: str) -> None:
        raise Unavailable("the cluster is away")

    told = threads.begin()
    told.keep = keep
    with disable_run_logger():
        await notify.post("releases", "v1 begins")
    await notify.post("releases", "more")
    assert slack.channel("releases")[1].thread == slack.channel("releases")[0].ts


async def test_incoming_webhooks_have_plain_messages(slack: Slack, home: Path) -> None:
    configure(home, slack, bot=False)
    told = threads.begin()
    await notify.post("releases", "v1 begins")
    await notify.post("releases", "v1 is live")
    told.edit("releases", "never")
    await told.settle()
    assert [(one.text, one.thread, one.edits) for one in slack.messages] == [
        ("v1 begins", None, 0),
        ("v1 is live", None, 0),
    ]
    assert told.text == ""


async def test_a_slack_that_is_down_raises_nothing_from_an_edit(slack: Slack, home: Path) -> None:
    configure(home, slack, bot=True)
    told = threads.begin()
    await notify.post("releases", "v1 begins")
    await slack.stop()
    told.edit("releases", "v1 is live")
    with disable_run_logger():
        await told.settle()


async def test_the_verdicts_are_shown_under_the_message_the_worst_first(slack: Slack, home: Path) -> None:
    run = home / "work" / "runs" / "local"
    run.mkdir(parents=True)
    for region, given in (("us-east-1", "ADVANCE after 3 s"), ("eu-west-1", "ROLLBACK after 2 s")):
        (run / f"verdict-{region}.jsonl").write_text(record.dump(record.Stored(Policy(), (), region, given)))
    (run / "verdict-spoilt.jsonl").write_text("{}\n")
    configure(home, slack, bot=True)
    threads.begin()
    await notify.post("incidents", "v1 is bad")
    await pictures.verdicts.fn("incidents")
    await pictures.verdicts.fn("releases")
    told, shown = slack.channel("incidents")
    assert (shown.thread, [one["title"] for one in shown.files]) == (told.ts, ["eu-west-1", "us-east-1"])
    assert slack.channel("releases") == []


async def test_a_slack_that_is_down_fails_no_release_for_a_picture(slack: Slack, home: Path) -> None:
    run = home / "work" / "runs" / "local"
    run.mkdir(parents=True)
    (run / "verdict-us.jsonl").write_text(record.dump(record.Stored(Policy(), (), "us", "ROLLBACK")))
    configure(home, slack, bot=True)
    threads.begin()
    await notify.post("incidents", "v1 is bad")
    await slack.stop()
    with disable_run_logger():
        await pictures.verdicts.fn("incidents")
