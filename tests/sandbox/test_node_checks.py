"""Probes: what they see of an application, and what their answers make of its container."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.node.checks import NEVER, Checks
from sandbox.node.probes import Application, ask, ports_of, probes_of
from sandbox.node.status import ContainerState, Place, pod_status
from sandbox.world import Behaviour

PORTS = {"http": 8080, "8080": 8080}
UP = Application(up=True, behaviour=Behaviour(), address="10.128.0.1", ports=PORTS)
STARTING = Application(up=False, behaviour=Behaviour(), address="10.128.0.1", ports=PORTS)
REFUSING = Application(up=True, behaviour=Behaviour(never_ready=True), address="10.128.0.1", ports=PORTS)


def http(path: str = "/health", port: str | int = "http", **more: Any) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, **more}


def only(kind: str, spec: dict[str, Any]) -> Any:
    (probe,) = probes_of({f"{kind}Probe": spec})
    return probe


@pytest.mark.parametrize(
    ("kind", "spec", "application", "says"),
    [
        ("readiness", http(), UP, None),
        ("readiness", http(port=8080), UP, None),
        ("readiness", http(), REFUSING, "Readiness probe failed: HTTP probe failed with statuscode: 503"),
        ("liveness", http(), REFUSING, None),
        ("readiness", http("/nowhere"), UP, "Readiness probe failed: HTTP probe failed with statuscode: 404"),
        (
            "liveness",
            http(port=9090),
            UP,
            'Liveness probe failed: Get "http://10.128.0.1:9090/health": '
            "dial tcp 10.128.0.1:9090: connect: connection refused",
        ),
        (
            "startup",
            http(),
            STARTING,
            'Startup probe failed: Get "http://10.128.0.1:8080/health": '
            "dial tcp 10.128.0.1:8080: connect: connection refused",
        ),
        (
            "readiness",
            http(port="htpp"),
            UP,
            'Readiness probe errored and resulted in unknown state: strconv.Atoi: parsing "htpp": invalid syntax',
        ),
        ("readiness", {"tcpSocket": {"port": 8080}}, UP, None),
        ("readiness", {"exec": {"command": ["true"]}}, REFUSING, "Readiness probe failed: command exited with code 1"),
    ],
)
def test_a_probe_says_what_a_kubelet_says(
    kind: str, spec: dict[str, Any], application: Application, says: str | None
) -> None:
    assert ask(only(kind, spec), application) == says


def test_ports_go_by_name_and_by_number() -> None:
    assert ports_of({"ports": [{"name": "http", "containerPort": 8080}]}) == PORTS


def test_without_probes_a_container_is_ready_at_once() -> None:
    checks = Checks((), 0, 0.2, 1)
    assert (checks.started, checks.ready, checks.next()) == (True, True, NEVER)


def test_readiness_comes_with_the_start_and_then_waits_for_a_change() -> None:
    checks = Checks(probes_of({"readinessProbe": http(periodSeconds=10)}), 100, 0.2, 1)
    assert checks.next() == pytest.approx(100.2)
    assert not checks.ready
    assert checks.ask(100.2, UP) == []
    assert checks.ready
    assert checks.next() == NEVER


def test_readiness_is_lost_after_its_failures_and_found_again() -> None:
    checks = Checks(probes_of({"readinessProbe": http(failureThreshold=2)}), 0, 0, 1)
    checks.ask(0, UP)
    checks.hurry(5)
    assert len(checks.ask(5, REFUSING)) == 1
    assert checks.ready
    assert checks.next() == 6
    checks.ask(6, REFUSING)
    assert not checks.ready
    checks.hurry(6.5)
    checks.ask(6.5, UP)
    assert checks.ready


def test_a_startup_probe_holds_the_others_back_and_kills_at_last() -> None:
    container = {"startupProbe": http(periodSeconds=2, failureThreshold=2), "readinessProbe": http()}
    checks = Checks(probes_of(container), 0, 60, 1)
    assert [line.split()[0] for line in checks.ask(0, STARTING)] == ["Startup"]
    assert not checks.started
    assert checks.killed is None
    assert checks.next() == 2
    checks.ask(2, STARTING)
    assert checks.killed == "failed startup probe, will be restarted"


def test_after_the_startup_probe_readiness_is_asked_at_once() -> None:
    checks = Checks(probes_of({"startupProbe": http(), "readinessProbe": http(initialDelaySeconds=0)}), 0, 0, 1)
    checks.ask(0, UP)
    assert checks.started
    assert checks.next() <= 0
    checks.ask(0, UP)
    assert checks.ready


def test_speed_divides_delays_and_periods() -> None:
    checks = Checks(probes_of({"livenessProbe": http(initialDelaySeconds=10, periodSeconds=10)}), 0, 0, 10)
    assert checks.next() == 1
    checks.ask(1, STARTING)
    assert checks.next() == 2


def test_readiness_is_dated_by_its_last_change() -> None:
    pod: dict[str, Any] = {}
    one = ContainerState("application", "shop:1.4.0", {"running": {"startedAt": "05:00"}}, ready=True)
    place, dates = Place("10.0.0.1", "10.0.0.0", "05:00"), []
    for now, ready in (("05:01", True), ("05:02", True), ("06:00", False), ("06:01", False)):
        one.ready = ready
        pod["status"] = pod_status(pod, [], [one], place, now)
        dates += [each["lastTransitionTime"] for each in pod["status"]["conditions"] if each["type"] == "Ready"]
    assert dates == ["05:01", "05:01", "06:00", "06:00"]
