"""Which node has room, and the scheduler's words when none has."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.node.schedule import Machine, Requests, amount, machines, millicores, place, requests_of


def spec(cpu: str = "100m", memory: str = "64Mi", **more: Any) -> dict[str, Any]:
    return {"containers": [{"resources": {"requests": {"cpu": cpu, "memory": memory}}}], **more}


@pytest.mark.parametrize(("text", "expected"), [("500m", 500), ("2", 2000), ("0.5", 500)])
def test_millicores(text: str, expected: int) -> None:
    assert millicores(text) == expected


def test_a_pod_asks_for_its_containers_or_its_greatest_init_container() -> None:
    pod = {
        "containers": [*spec("100m")["containers"], *spec("200m")["containers"]],
        "initContainers": spec("1", "1Mi")["containers"],
    }
    assert requests_of(pod) == Requests(1000, amount("128Mi"))


def test_the_emptiest_node_is_taken() -> None:
    nodes = machines(3, "4", "8Gi")
    nodes[0].pods["a"] = nodes[1].pods["b"] = Requests()
    assert place(spec(), nodes) is nodes[2]


@pytest.mark.parametrize(
    ("pod", "reasons"),
    [
        (spec("100"), "4 Insufficient cpu"),
        (spec("1", "100Gi"), "4 Insufficient memory"),
        (spec("100", "100Gi"), "4 Insufficient cpu, 4 Insufficient memory"),
    ],
)
def test_without_room_it_says_what_is_missing(pod: dict[str, Any], reasons: str) -> None:
    message = place(pod, machines(4, "64", "64Gi"))
    assert message == (
        f"0/4 nodes are available: {reasons}. preemption: 0/4 nodes are available: "
        "4 No preemption victims found for incoming pod."
    )


def test_what_runs_takes_room() -> None:
    node = Machine("one", "10.0.0.1", "1", "1Gi", {"a": Requests(950, 0)})
    assert isinstance(place(spec("100m"), [node]), str)
    assert place(spec("50m"), [node]) is node


def test_a_node_selector_that_matches_nothing() -> None:
    message = place(spec(nodeSelector={"disk": "ssd"}), machines(2, "64", "64Gi"))
    assert isinstance(message, str)
    assert message.startswith("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.")
    assert "2 Preemption is not helpful for scheduling" in message
