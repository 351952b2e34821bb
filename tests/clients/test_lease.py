"""The Lease as an object: what the lock writes is what it reads."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from clients import lease
from clients.lease import State
from release.locking import Ended, Held, Holder
from release.steering import Order

ME = Holder("run-1", "ada", "production v1.4.0", "call me first", '{"releases": "C1/2.3"}', "4f2a")
ENDED = Ended("broken", Holder("run-0", "bob", "hotfix v1.3.1"), "ada", "it hangs", 900.0)


ORDERS = (Order("hold", "eva", "let us look", 1001.0), Order("abort", "eva", "it is bad", 1002.0))


@pytest.mark.parametrize("held", [None, Held(ME, 1000.25, 1100.5, 60), Held(ME, 1000.25, 1100.5, 60, ORDERS)])
@pytest.mark.parametrize("history", [(), (ENDED, ENDED)])
def test_what_is_written_is_read_back(held: Held | None, history: tuple[Ended, ...]) -> None:
    body = lease.manifest("tidegate-shop", State(held, history, "7", 0))
    assert lease.read(body, 1200.0) == State(held, history, "7", 1200.0)


def test_a_new_lease_has_no_version_and_a_freed_one_no_holder() -> None:
    body = lease.manifest("tidegate-shop", State(None, (), None, 0))
    assert "resourceVersion" not in body["metadata"]
    assert body["spec"] == {}


def test_a_fraction_of_a_second_is_not_lost_from_the_lease() -> None:
    body = lease.manifest("tidegate-shop", State(Held(ME, 0, 0, 0.2), (), None, 0))
    assert body["spec"]["leaseDurationSeconds"] == 1


def test_a_lease_that_somebody_else_wrote_is_held_without_a_name() -> None:
    spec = {"holderIdentity": "kubectl", "leaseDurationSeconds": 15, "renewTime": "2026-11-23T05:00:00.000000Z"}
    held = lease.read({"metadata": {"resourceVersion": "1"}, "spec": spec}, 5.0).held
    assert held is not None
    assert (held.holder.run, held.holder.who, held.lease) == ("kubectl", "unknown", 15.0)


def test_a_lease_from_before_processes_were_told_apart_is_read() -> None:
    body = lease.manifest("tidegate-shop", State(Held(ME, 1000.0, 1100.0, 60), (), "7", 0))
    del body["metadata"]["annotations"]["tidegate.dev/process"]
    held = lease.read(body, 5.0).held
    assert held is not None
    assert held.holder == replace(ME, process="")


def test_the_history_holds_what_an_older_tidegate_reads() -> None:
    body = lease.manifest("tidegate-shop", State(None, (replace(ENDED, holder=ME),), "7", 0))
    (one,) = json.loads(body["metadata"]["annotations"]["tidegate.dev/history"])
    assert set(one["holder"]) == {"run", "who", "what", "note", "threads"}


def test_a_spoilt_history_does_not_stand_in_the_way() -> None:
    metadata = {"resourceVersion": "1", "annotations": {"tidegate.dev/history": "[{}]"}}
    assert lease.read({"metadata": metadata}, 5.0) == State(None, (), "1", 5.0)
