"""Where one machine runs everything, a release that loses its process goes on by itself, and what waits waits on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from desk import OPEN, PODS, Desk, release, run_of
from look import Look, Regions
from onemachine import Machine
from waiting import until

from config import load

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def machine(desk: Desk) -> Iterator[Machine]:
    home = desk.variant(production=OPEN)
    found = Machine(home, {"TIDEGATE_GUARD": "off"})
    # The machine's own Prefect and its own database, and a timer that lasts.
    desk.change(home, tidegate={"prefect": {"api": found.api}, "database": None, "sandbox": {"timer_speed": 1}})
    with found:
        yield found


def of_run(machine: Machine, run: str) -> list[int]:
    """The processes of a run."""
    found = []
    for pid in machine.processes():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            said = (Path("/proc") / str(pid) / "environ").read_bytes()
            found += [pid] if f"PREFECT__FLOW_RUN_ID={run}".encode() in said else []
    return found


@pytest.mark.parametrize("struck", ["its process", "the worker", "the machine", "the machine, in order"])
def test_it_goes_on_from_what_is_live(
    desk: Desk, look: Look, good: Regions, another: str, machine: Machine, struck: str
) -> None:
    desk.behave(another.removeprefix("v"), "us-east-1", ready_after=4.0)
    with desk.start(*release(another), home=machine.home) as running:
        running.until("us-east-1: shop-", within=180)
        (run,) = [one["id"] for one in machine.runs() if one["id"].startswith(run_of(running.text))]
        if struck == "its process":
            for pid in of_run(machine, run):
                os.kill(pid, signal.SIGKILL)
        elif struck == "the worker":
            os.kill(machine.pid_of("worker start"), signal.SIGKILL)
        else:
            running.kill()
            machine.stop() if "in order" in struck else machine.kill()
            machine.start()
        until(lambda: machine.run(run)["state"]["type"] == "COMPLETED", 300)
    assert machine.run(run)["state"]["name"] == "Released"
    assert machine.run(run)["run_count"] == 2
    assert {(one["version"], one["ready"]) for one in look.live().values()} == {(another.removeprefix("v"), PODS)}


@pytest.fixture
def gated(desk: Desk, machine: Machine) -> Iterator[Callable[[float], None]]:
    """Two must approve, and then a timer; called with the seconds from the request that it lasts."""

    def timer(seconds: float) -> None:
        gates = {"approvals": 2, "wait_s": seconds * load.settings().speed}
        desk.change(machine.home, production={"gates": gates})

    timer(1800)
    yield timer
    desk.change(machine.home, production=OPEN)


def waiting(desk: Desk, machine: Machine, tag: str) -> str:
    """A run of the release that waits for people; nobody follows it."""
    with desk.start(*release(tag), home=machine.home) as running:
        running.until("AwaitingApproval", within=180)
        (run,) = [one["id"] for one in machine.runs() if one["id"].startswith(run_of(running.text))]
    stands(machine, run, "AwaitingApproval")
    return str(run)


def stands(machine: Machine, run: str, state: str, within: float = 90) -> str:
    """Wait until the run is in that state, and has no process; until when it is there, as Prefect says."""
    until(lambda: machine.run(run)["state"]["name"] == state, within)
    until(lambda: not of_run(machine, run), 30)
    return str(machine.run(run)["state"]["state_details"].get("scheduled_time") or "")


def test_votes_and_the_timer_outlive_the_machine(
    desk: Desk, look: Look, good: Regions, another: str, machine: Machine, gated: Callable[[float], None]
) -> None:
    began, run = time.monotonic(), waiting(desk, machine, another)
    before = look.versions()
    assert "1 more must approve" in desk.vote(run[:8], "bob", home=machine.home).text
    machine.kill()
    machine.start()
    stands(machine, run, "AwaitingApproval")
    gated(time.monotonic() - began + 60)
    assert "that is enough" in desk.vote(run[:8], "eve", home=machine.home).text
    ends = stands(machine, run, "AwaitingTimer")
    machine.kill()
    assert look.versions() == before, "what waits holds no lock and changes nothing"
    machine.start()
    until(lambda: machine.run(run)["state"]["type"] == "COMPLETED", 300)
    assert machine.run(run)["state"]["name"] == "Released"
    timers = [one["state_details"]["scheduled_time"] for one in machine.states(run) if one["name"] == "AwaitingTimer"]
    assert {one for one in timers if one} == {ends}
    # Its process may be there a moment before, and waits.
    (passed,) = [at for at, text in machine.log(run) if text == "approved by bob, eve"]
    assert datetime.fromisoformat(passed) >= datetime.fromisoformat(ends)
    assert {one["version"] for one in look.live().values()} == {another.removeprefix("v")}


def test_a_no_while_the_timer_runs_refuses_at_once(
    desk: Desk, look: Look, good: Regions, another: str, machine: Machine, gated: Callable[[float], None]
) -> None:
    run = waiting(desk, machine, another)
    before = look.versions()
    for person in ("bob", "eve"):
        desk.vote(run[:8], person, home=machine.home)
    stands(machine, run, "AwaitingTimer")
    said = desk.vote(run[:8], "eve", "--reject", "--reason", "on second thoughts", home=machine.home)
    assert "it is refused" in said.text
    until(lambda: machine.run(run)["state"]["name"] == "Refused", 90)
    assert look.versions() == before
