"""What a machine's restart makes of the runs that it had."""

from __future__ import annotations

import pytest
from fake_prefect_api import FakePrefectApi

from deployments.machine.recovery import settle


@pytest.mark.parametrize(
    ("kind", "becomes", "told"),
    [
        ("PENDING", "SCHEDULED", "queued again"),
        ("RUNNING", "CRASHED", "start the same command again"),
        ("CANCELLING", "CANCELLED", ""),
        ("SCHEDULED", "SCHEDULED", ""),
        ("PAUSED", "PAUSED", ""),
        ("COMPLETED", "COMPLETED", ""),
    ],
)
async def test_what_had_a_process_is_told_and_what_waits_is_left(kind: str, becomes: str, told: str) -> None:
    prefect = FakePrefectApi("production")
    async with prefect.client() as api:
        deployment = await api.deployment("production")
        assert deployment is not None
        await api.create(deployment, {}, key="k")
        prefect.become("k", kind)
        lines = await settle(api)
    assert prefect.state("k") == becomes
    assert (told in lines[0]) if told else lines == []
