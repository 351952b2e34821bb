"""What the simulated node knows and the simulated gateway asks: the pods that run, and how each behaves.

The node writes it, the gateway reads it, both in one process. Nothing here is persisted: the API server is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

LABEL = "dev.tidegate.sandbox."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user gets: `seconds` is how long the answer takes."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How an image behaves, from its OCI labels `dev.tidegate.sandbox.*`, for one region.

    crash, never-ready: `everywhere` or region names with commas. crash-code: the exit code (1). ready-after:
    seconds (0). error-rate: a share from 0 to 1, or `region=share` pairs with commas. latency: seconds.
    stops-at-sigterm: `true` for an application that answers nothing once it is asked to end.
    """

    crashes: bool = False
    crash_code: int = 1
    never_ready: bool = False
    ready_after: float = 0.0
    error_rate: float = 0.0
    latency: float = 0.0
    stops_at_sigterm: bool = False


@dataclass(slots=True)
class RunningPod:
    """A pod whose container runs. `serving` is False once it stopped answering; then users get 502.

    `ports` are the ports that its container listens on; empty means any.
    """

    uid: str
    name: str
    namespace: str
    region: str
    version: str
    environment: str
    behaviour: Behaviour
    serving: bool = True
    ready: bool = False
    requests: int = 0
    errors: int = 0
    commit: str = ""
    ports: tuple[int, ...] = ()


@dataclass(slots=True)
class World:
    """Shared by node and gateway. `regions` maps a namespace to its region's name.

    `overrides` changes a behaviour while it runs: (region or "*", version or "*") -> fields of Behaviour.
    `fetch(namespace, url)` is set by the gateway: the answer that a pod in that namespace gets for a URL of a
    Service in it (status 0 when the name does not resolve), as a Job or chart test would ask.
    `speed` divides every wait of the simulation that is not a time-out.
    """

    regions: Mapping[str, str]
    speed: float = 1.0
    pods: dict[str, RunningPod] = field(default_factory=dict)
    overrides: dict[tuple[str, str], Mapping[str, object]] = field(default_factory=dict)
    fetch: Callable[[str, str], Awaitable[Answer]] | None = None
