"""The webhooks' client against the simulated backup and monitoring."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from clients.webhooks import post_json, request_backup
from release.errors import Refused, Unavailable
from sandbox.services.hooks import Hooks

TOKEN = "backup-secret"


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    simulated = Hooks(TOKEN)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.mark.parametrize(
    "payload",
    [{"type": "pre-release", "tag": "v1.5.0"}, {"type": "emergency", "region": "us-east-1", "version": "1.5.1"}],
)
async def test_a_backup_is_made_and_its_answer_believed(hooks: Hooks, payload: dict[str, str]) -> None:
    backup = await request_backup(hooks.backup_url, payload, token=TOKEN, timeout=5)
    assert (backup.id, backup.status, backup.done) == ("backup-1", "completed", True)
    assert hooks.backups[0].payload == payload


async def test_a_wrong_token_names_its_setting_and_not_the_address(hooks: Hooks) -> None:
    for token in ("wrong", None):
        with pytest.raises(Refused) as refused:
            await request_backup(hooks.backup_url, {"type": "pre-release"}, token=token, timeout=5)
        assert refused.value.field == "backup.token"
        assert hooks.backup_url not in str(refused.value)
    assert hooks.backups == []


@pytest.mark.parametrize(
    "payload", [{}, {"type": "other"}, {"type": "pre-release"}, {"type": "emergency", "region": "us-east-1"}]
)
async def test_an_incomplete_request_is_refused(hooks: Hooks, payload: dict[str, str]) -> None:
    with pytest.raises(Refused, match="answered 400"):
        await request_backup(hooks.backup_url, payload, token=TOKEN, timeout=5)
    assert hooks.backups == []


async def test_monitoring_keeps_what_it_is_told(hooks: Hooks) -> None:
    event = {"event": "deployment_success", "version": "v1.5.0", "strategy": "rolling", "timestamp": "now"}
    answer = await post_json(hooks.monitoring_url, event, token=None, timeout=5, name="monitoring")
    assert answer["status"] == "accepted"
    assert [call.payload for call in hooks.events] == [event]


async def test_a_service_that_is_down_is_unavailable(hooks: Hooks) -> None:
    await hooks.stop()
    with pytest.raises(Unavailable, match="backup webhook cannot be reached"):
        await request_backup(hooks.backup_url, {"type": "pre-release", "tag": "v1"}, token=TOKEN, timeout=5)
