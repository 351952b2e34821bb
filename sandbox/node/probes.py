"""Probes as a kubelet asks them, of an application that only exists as a Behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.world import Behaviour

Kind = Literal["startup", "readiness", "liveness"]
KINDS: tuple[Kind, ...] = ("startup", "readiness", "liveness")
PATHS = frozenset(("/", "/health", "/healthz", "/livez", "/readyz", "/live", "/ready", "/version", "/metrics"))
READINESS_PERIOD = 1.0
"""Seconds: a chart's longer readiness period would only make everyone wait; how much it must fail stays."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of a container's spec with Kubernetes' defaults; `delay` and `period` are seconds."""

    kind: Kind
    action: Mapping[str, Any]
    delay: float
    period: float
    failures: int
    successes: int


@dataclass(frozen=True, slots=True)
class Application:
    """What a probe can see: is the application up, how does it behave, and where does it listen."""

    up: bool
    behaviour: Behaviour
    address: str
    ports: Mapping[str, int]


def probes_of(container: Mapping[str, Any]) -> tuple[Probe, ...]:
    """The container's probes, in the order in which they matter."""
    return tuple(_probe(kind, container[f"{kind}Probe"]) for kind in KINDS if container.get(f"{kind}Probe"))


def _probe(kind: Kind, spec: Mapping[str, Any]) -> Probe:
    period = float(spec.get("periodSeconds") or 10)
    return Probe(
        kind=kind,
        action=spec,
        delay=float(spec.get("initialDelaySeconds") or 0),
        period=min(period, READINESS_PERIOD) if kind == "readiness" else period,
        failures=int(spec.get("failureThreshold") or 3),
        successes=int(spec.get("successThreshold") or 1),
    )


def ports_of(container: Mapping[str, Any]) -> dict[str, int]:
    """Name (or the number as text) -> port, of the ports that the container declares."""
    ports = container.get("ports") or ()
    numbers = {str(port["containerPort"]): int(port["containerPort"]) for port in ports}
    return numbers | {port["name"]: int(port["containerPort"]) for port in ports if port.get("name")}


def ask(probe: Probe, application: Application) -> str | None:
    """None when the probe succeeds, else what kubelet says: `Readiness probe failed: ...`.

    An application that is never ready is alive all the same: only its readiness is refused, or the restarts by
    its liveness probe would hide the reason.
    """
    failure = _failure(probe.kind, probe.action, application)
    return f"{probe.kind.capitalize()} probe {failure}" if failure else None


def _failure(kind: Kind, action: Mapping[str, Any], application: Application) -> str | None:
    refuses = kind == "readiness" and application.behaviour.never_ready
    if "exec" in action:
        return None if application.up and not refuses else "failed: command exited with code 1"
    http = action.get("httpGet")
    target = http or action.get("tcpSocket") or action.get("grpc") or {}
    port = str(target.get("port", ""))
    number = application.ports.get(port)
    if number is None and not port.isdigit():
        return f'errored and resulted in unknown state: strconv.Atoi: parsing "{port}": invalid syntax'
    address = f"{application.address}:{number or port}"
    if number is None or not application.up:
        dial = f"dial tcp {address}: connect: connection refused"
        return f'failed: Get "{_url(http, address)}": {dial}' if http else f"failed: {dial}"
    if http and http.get("path", "/").partition("?")[0] not in PATHS:
        return "failed: HTTP probe failed with statuscode: 404"
    return "failed: HTTP probe failed with statuscode: 503" if http and refuses else None


def _url(http: Mapping[str, Any], address: str) -> str:
    return f"{http.get('scheme', 'HTTP').lower()}://{address}{http.get('path', '/')}"
