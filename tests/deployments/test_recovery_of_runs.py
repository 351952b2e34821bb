"""What a machine's restart makes of the runs that it had."""

from __future__ import annotations

import pytest
from fake_prefect_api import FakePrefectApi

from deployments.machine.recovery import automation, settle


@pytest.mark.parametrize(
    ("flow", "kind", "becomes", "told"),
    [
        ("production", "PENDING", "SCHEDULED", "queued again"),
        ("production", "RUNNING", "SCHEDULED", "goes on"),
        ("guard", "RUNNING", "SCHEDULED", "goes on"),
        ("retire", "RUNNING", "CRASHED", "start the same command again"),
        ("production", "CANCELLING", "CANCELLED", ""),
        ("production", "SCHEDULED", "SCHEDULED", ""),
        ("production", "PAUSED", "PAUSED", ""),
        ("production", "COMPLETED", "COMPLETED", ""),
    ],
)
async def test_what_had_a_process_goes_on_or_is_told_and_what_waits_is_left(
    flow: str, kind: str, becomes: str, told: str
) -> None:
    prefect = FakePrefectApi("production", flow)
    async with prefect.client() as api:
        deployment = await api.deployment(flow)
        assert deployment is not None
        await api.create(deployment, {}, key="k")
        prefect.become("k", kind)
        lines = await settle(api)
    assert prefect.state("k") == becomes
    assert (told in lines[0]) if told else lines == []


async def test_the_servers_automation_is_kept_up_to_date_and_stays_off_where_a_person_switched_it_off() -> None:
    prefect = FakePrefectApi()
    async with prefect.client() as api:
        await api.automate(automation())
        prefect.automations[0] |= {"enabled": False, "description": "an older one"}
        await api.automate(automation())
    (found,) = prefect.automations
    assert found == automation() | {"enabled": False, "id": "automation-0"}
