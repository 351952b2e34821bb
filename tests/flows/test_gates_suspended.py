"""A run of a deployment that waits at its gates has no process, and survives the end of what runs it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import ask
import httpx
import pytest
from chromium import Page
from desk import Desk
from look import Look, Regions
from processes import begin_group
from waiting import until

from config import load

pytestmark = pytest.mark.slow


class Machine:
    """`tidegate serve --worker`: what runs the deployments."""

    def __init__(self, desk: Desk) -> None:
        self._log = desk.folder() / "log"
        command = [sys.executable, "-m", "deployments.cli", "serve", "--worker"]
        self.process = begin_group(command, self._log, desk.environment(desk.home))
        until(lambda: "ready after" in self._log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self._log.read_text()

    def kill(self) -> None:
        """As a power cut would; the service ends with its supervisor."""
        self.process.kill()
        self.process.wait(10)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0


def begin(**parameters: Any) -> str:
    """A run of production's deployment, as Prefect's page makes one."""
    api = load.settings().prefect.api
    with httpx.Client(timeout=20, trust_env=False) as client:
        found = client.get(f"{api}/deployments/name/production/production").raise_for_status().json()
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        made = client.post(f"{api}/deployments/{found['id']}/create_flow_run", json=body)
        return str(made.raise_for_status().json()["id"])


def processes(run: str) -> int:
    """How many processes know of the run by their environment."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += run.encode() in path.read_bytes()
        except OSError:
            continue
    return found


_BUTTON = "[...document.querySelectorAll('button')].find(one => one.innerText.trim() == '{}').click()"
_FIELD = (
    "[...document.querySelectorAll('.p-modal .schema-form-property')]"
    ".find(one => one.querySelector('.schema-form-property__label').innerText == '{}').querySelector('{}')"
)
_CHOOSE = """(one => {
    one.selectedIndex = [...one.options].findIndex(each => each.text.trim() == 'approve');
    one.dispatchEvent(new Event('change'));
})"""


async def fill_in(run: str, form: Mapping[str, str]) -> None:
    """A person opens the run's page in Prefect, presses Resume, fills in the form and submits it."""
    async with Page() as page:
        await page.look(width=1280, height=900)
        await page.go(f"{str(load.settings().prefect.api).removesuffix('/api')}/runs/flow-run/{run}")
        await page.shows("Resume")
        await page.value(_BUTTON.format("Resume"))
        await page.shows("One-time code")
        deadline = time.monotonic() + 60
        while await page.value("Boolean(document.querySelector('.p-modal'))"):
            assert time.monotonic() < deadline, await page.text()
            # The page may draw its form anew meanwhile, and what was typed is gone.
            with suppress(AssertionError):
                await _type(page, form)
                await page.value(_BUTTON.format("Submit"))
            await asyncio.sleep(2)


async def _type(page: Page, form: Mapping[str, str]) -> None:
    for label, text in form.items():
        field = _FIELD.format(label, "textarea")
        await page.value(f"{field}.focus(), {field}.select()")
        await page.send("Input.insertText", text=text)
        assert await page.value(f"{field}.value") == text
    await page.value(f"{_CHOOSE}({_FIELD.format('Decision', 'select')})")


@pytest.fixture
def machines(desk: Desk, look: Look) -> Iterator[list[Machine]]:
    """The newest one is the last."""
    found = [Machine(desk)]
    yield found
    found[-1].end()


def test_it_has_no_process_and_goes_on_after_everything_was_killed(
    desk: Desk, look: Look, good: Regions, another: str, machines: list[Machine]
) -> None:
    desk.people(approve=False)
    before = look.versions()
    run = begin(tag=another, actor="ada", accept_no_way_back=True)
    until(lambda: look.run(run)["state"]["name"] == "AwaitingApproval")
    until(lambda: processes(run) == 0)
    assert look.versions() == before, "what waits holds no lock and changes nothing"
    machines[0].kill()
    # Nobody proved who asked: one more than the two must approve.
    assert "2 more must approve" in desk.vote(run[:8], "bob").text
    machines.append(Machine(desk))
    until(lambda: any("bob approved" in line for line in ask.log(run)))
    until(lambda: look.run(run)["state"]["name"] == "AwaitingApproval")
    form = {"Approver": "eve", "One-time code": desk.code("eve"), "Reason": "in Prefect's page"}
    asyncio.run(fill_in(run, form))
    until(lambda: any("bob, eve approved" in line for line in ask.log(run)))
    desk.people(approve=True)
    until(lambda: look.run(run)["state"]["name"] == "Released")
    assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}
    assert len([text for text in look.slack("releases") if f"tidegate approve {run[:8]}" in text]) == 1
