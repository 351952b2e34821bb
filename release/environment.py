"""An environment as its configuration file says it, validated: frozen, without secrets, times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from release.gates import Gates
from release.model import Slot
from release.policies import Checks, Maintenance, Rehearsal
from release.verdict.policy import Policy
from release.verdict.watch import Limit

Strategy = Literal["rolling", "blue-green", "canary"]
# Which regions a failed release is taken back in: all that it changed, or only those that did not take it.
# What is asked for metrics; `json` knows an error rate only, for absolute limits.
Provider = Literal["gateway", "prometheus", "json"]
Recover = Literal["all", "failed"]
Dispatch = Literal["local", "regional"]
# What sends the users: the weights of an HTTPRoute, or the selector of one Service, which knows all or none.
Traffic = Literal["gateway", "service"]


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept, never its value: `kind` is env (a variable), file (a path) or prefect (a block)."""

    kind: Literal["env", "file", "prefect"]
    name: str


@dataclass(frozen=True, slots=True)
class Region:
    """One region of an environment.

    `context` is the kubeconfig context, `address` what users call, `previews` each slot's own address. `gateway`
    is the Gateway that the routes attach to, as `namespace/name`; `sections` its listeners: web, blue, green.
    `metric_labels` tell its series from other regions', where one Prometheus server has them all. With `traffic` by
    service there is no Gateway, and no routes.
    """

    name: str
    context: str
    namespace: str
    address: str
    previews: Mapping[Slot, str] = field(default_factory=dict)
    gateway: str = ""
    sections: Mapping[str, str] = field(default_factory=dict)
    hostnames: tuple[str, ...] = ()
    metric_labels: Mapping[str, str] = field(default_factory=dict)
    traffic: Traffic = "gateway"


@dataclass(frozen=True, slots=True)
class Rolling:
    """Kubernetes' own words: percentages or counts. `timeout` bounds the whole roll-out.

    `ready_within` is how long one running pod may refuse readiness, `scheduled_within` how long it may find no
    node (raise it where nodes are added on demand), `poll` the pause between two looks, `settle` how long gateways
    may take to send users to the new pods.
    """

    max_unavailable: str
    max_surge: str
    timeout: float
    ready_within: float
    scheduled_within: float
    poll: float
    settle: float = 0.0


@dataclass(frozen=True, slots=True)
class Progressive:
    """Blue-green and canary: `weights` before all users, and how long the old slot is kept (`window`, seconds)."""

    weights: tuple[int, ...] = (10, 25, 50)
    window: float = 1800.0


@dataclass(frozen=True, slots=True)
class Judged:
    """How a canary is judged: by what, how often it is looked at (`poll`, seconds), with which thresholds."""

    policy: Policy = Policy()
    provider: Provider = "gateway"
    poll: float = 5.0


@dataclass(frozen=True, slots=True)
class Guard:
    """What goes on being watched for the window after a release: an error rate, and what happens above it."""

    limit: float = 0.01
    alpha: float = 0.001
    on_bad: Literal["page", "rollback"] = "page"

    @property
    def absolute(self) -> Limit:
        """The rate as a limit of its own."""
        return Limit(self.limit, self.alpha)


@dataclass(frozen=True, slots=True)
class Probe:
    """Health probes of a region's address: the first good answer of `attempts`, `gap` seconds apart, counts."""

    path: str
    attempts: int
    gap: float
    timeout: float


@dataclass(frozen=True, slots=True)
class Hotfix:
    """A critical hotfix's own numbers: roll-out, probes, approvals, and the watch after it.

    It is watched for `watch` seconds against `error_limit`, a share of failing requests from 0 to 1, and against what
    the region was in the `before` seconds before it; `alpha` is the chance that is accepted to condemn a version that
    keeps its limit.
    """

    max_unavailable: str = "10%"
    max_surge: str = "50%"
    timeout: float = 300.0
    attempts: int = 5
    gap: float = 10.0
    approvals: int = 1
    watch: float = 300.0
    before: float = 600.0
    error_limit: float = 0.02
    alpha: float = 0.001


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment. `waves` are lists of region names, in order; `parallel` bounds regions side by side.

    `variables` reach commands and chart; `secrets` reach commands by reference, and the chart as keys of the
    Kubernetes Secret `kubernetes_secret`, never as values. `values` are further chart values.
    """

    name: str
    regions: Mapping[str, Region]
    waves: tuple[tuple[str, ...], ...]
    parallel: int
    replicas: int
    rolling: Rolling
    probe: Probe
    gates: Gates
    lock_lease: float
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    progressive: Progressive = Progressive()
    judged: Judged = Judged()
    guard: Guard = Guard()
    recover: Recover = "all"
    dispatch: Dispatch = "local"
    hotfix: Hotfix = Hotfix()
    maintenance: Maintenance = Maintenance()
    backup: bool = False
    checks: Checks = Checks()
    rehearsal: Rehearsal = Rehearsal()
    kubernetes_secret: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    def checked_at(self, region: Region, slot: Slot) -> str:
        """The address at which a live version is checked: the slot's own while users are sent away."""
        return region.previews.get(slot, region.address) if self.maintenance.mode == "block" else region.address
