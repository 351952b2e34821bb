"""Where one machine runs everything, a release that loses its process goes on by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from desk import OPEN, PODS, Desk, release, run_of
from look import Look, Regions
from onemachine import Machine
from waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def machine(desk: Desk) -> Iterator[Machine]:
    home = desk.variant(production=OPEN)
    found = Machine(home, {"TIDEGATE_GUARD": "off"})
    own = home / "overlay" / "tidegate.yaml"
    own.write_text(yaml.safe_dump({**yaml.safe_load(own.read_text()), "prefect": {"api": found.api}}))
    with found:
        yield found


def of_run(machine: Machine, run: str) -> list[int]:
    """The processes of a run."""
    found = []
    for pid in machine.processes():
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
