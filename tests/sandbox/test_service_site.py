"""Starting and stopping the simulated services in any order."""

from __future__ import annotations

from pathlib import Path

from github_world import make_repository

from clients.slack import Slack as Client
from sandbox.services.github import GitHub
from sandbox.services.hooks import Hooks
from sandbox.services.slack import Slack


async def test_a_service_that_never_started_stops(tmp_path: Path) -> None:
    for service in (Slack(["a"], None), Hooks("t"), GitHub(tmp_path, "acme/shop", {"t": "bot"})):
        await service.stop()


async def test_a_service_starts_again_on_its_port_and_remembers(tmp_path: Path) -> None:
    slack, github = Slack(["a"], None), GitHub(make_repository(tmp_path)[0], "acme/shop", {"t": "bot"})
    await slack.start()
    await github.start()
    before = slack.url, github.url
    await Client(slack.url, slack.webhooks, None).post("a", "one")
    await slack.stop()
    await github.stop()
    await slack.start()
    await github.start()
    await Client(slack.url, slack.webhooks, None).post("a", "two")
    assert (slack.url, github.url) == before
    assert [message.text for message in slack.messages] == ["one", "two"]
    await slack.stop()
    await github.stop()
