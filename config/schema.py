"""The shape of the configuration files, checked once and turned into `release/` types."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import Model, Seconds
from config.gating import Gates
from config.judging import Guard, Verdict
from config.preparation import Checks, Maintenance, Rehearsal
from config.rollout import Canary, Hotfix, Lock, Probe, Rolling
from release import environment as built
from release.model import Slot

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$")]
# What Tidegate itself gives the application's commands, and the chart its pods.
RESERVED = frozenset(
    ("ENVIRONMENT", "REGION", "PORT", "TARGET_URL", "EXPECTED_VERSION", "EXPECTED_COMMIT", "AUDIT_LEVEL", "PATH")
)
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]


class Secret(Model):
    """Where a secret is kept: exactly one of a variable, a file or a Prefect Secret block."""

    env: str | None = None
    file: Path | None = None
    prefect: str | None = None

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        if sum(value is not None for value in (self.env, self.file, self.prefect)) != 1:
            raise ValueError("a secret is a reference: give exactly one of env, file, prefect")
        return self

    def ref(self) -> built.SecretRef:
        if self.env is not None:
            return built.SecretRef("env", self.env)
        if self.file is not None:
            return built.SecretRef("file", str(self.file))
        return built.SecretRef("prefect", self.prefect or "")


class Region(Model):
    """A region: its kubeconfig context, namespace and addresses."""

    context: str
    namespace: Name
    address: Address
    previews: dict[Slot, Address] = {}
    gateway: str = "tidegate"
    sections: dict[Literal["web", "blue", "green"], Name] = {}
    hostnames: tuple[str, ...] = ()
    metric_labels: dict[str, str] = {}
    traffic: built.Traffic | None = None

    def build(self, name: str, traffic: built.Traffic) -> built.Region:
        """`traffic` is the environment's, for a region that says nothing of it."""
        return built.Region(
            name=name,
            context=self.context,
            namespace=self.namespace,
            address=self.address.rstrip("/"),
            previews={slot: address.rstrip("/") for slot, address in self.previews.items()},
            gateway=self.gateway if "/" in self.gateway else f"{self.namespace}/{self.gateway}",
            sections={str(role): name for role, name in self.sections.items()},
            hostnames=self.hostnames,
            metric_labels=dict(self.metric_labels),
            traffic=self.traffic or traffic,
        )


class Environment(Model):
    """One environment's file."""

    regions: Annotated[dict[Name, Region], Field(min_length=1)]
    traffic: built.Traffic = "gateway"
    waves: tuple[tuple[Name, ...], ...] = ()
    parallel: Annotated[int, Field(ge=1, le=64)] = 3
    replicas: Annotated[int, Field(ge=1, le=10_000)] = 1
    rolling: Rolling = Rolling()
    canary: Canary = Canary()
    window_s: Seconds = 1800
    verdict: Verdict = Verdict()
    guard: Guard = Guard()
    recover: Literal["all", "failed"] = "all"
    dispatch: Literal["local", "regional"] = "local"
    probe: Probe = Probe()
    gates: Gates = Gates()
    hotfix: Hotfix = Hotfix()
    lock: Lock = Lock()
    maintenance: Maintenance = Maintenance()
    backup: bool = False
    checks: Checks = Checks()
    rehearsal: Rehearsal = Rehearsal()
    variables: dict[VariableName, str] = {}
    secrets: dict[VariableName, Secret] = {}
    kubernetes_secret: Name | None = None
    values: dict[str, Any] = {}

    @model_validator(mode="after")
    def waves_name_each_region_once(self) -> Self:
        named = [region for wave in self.waves for region in wave]
        if unknown := sorted(set(named) - set(self.regions)):
            raise ValueError(f"waves name regions that are not in regions: {', '.join(unknown)}")
        if self.waves and sorted(named) != sorted(self.regions):
            raise ValueError("waves must name each region exactly once")
        if both := sorted(set(self.variables) & set(self.secrets)):
            raise ValueError(f"named both as variable and as secret: {', '.join(both)}")
        return self

    @model_validator(mode="after")
    def names_are_free(self) -> Self:
        # A variable API_URL is the pods' and the tests'; a secret of that name no check could ever see.
        taken = (RESERVED & {*self.variables, *self.secrets}) | ({"API_URL"} & set(self.secrets))
        if taken:
            raise ValueError(f"Tidegate gives these names their values itself: {', '.join(sorted(taken))}")
        return self

    @model_validator(mode="after")
    def block_needs_routes(self) -> Self:
        unable = [name for name, region in self.regions.items() if (region.traffic or self.traffic) == "service"]
        if self.maintenance.mode == "block" and unable:
            raise ValueError(
                f"maintenance.mode is block, but a Service cannot answer 503 (traffic: service) in {', '.join(unable)}"
            )
        return self

    def build(self, name: str, speed: float, timer_speed: float = 1.0) -> built.Environment:
        """The frozen environment; every wait divided by `speed`, the gates' timer by both, time-outs kept."""
        first, *rest = self.regions
        return built.Environment(
            name=name,
            regions={region: model.build(region, self.traffic) for region, model in self.regions.items()},
            waves=self.waves or tuple(wave for wave in ((first,), tuple(rest)) if wave),
            parallel=self.parallel,
            replicas=self.replicas,
            rolling=built.Rolling(
                max_unavailable=self.rolling.max_unavailable,
                max_surge=self.rolling.max_surge,
                timeout=self.rolling.timeout_s,
                ready_within=max(1.0, self.rolling.ready_within_s / speed),
                scheduled_within=self.rolling.scheduled_within_s / speed,
                poll=max(0.1, self.rolling.poll_s / speed),
                # Not divided by the speed, as the gateway's lag is not either.
                settle=self.rolling.settle_s,
            ),
            probe=built.Probe(self.probe.path, self.probe.attempts, self.probe.gap_s / speed, self.probe.timeout_s),
            gates=self.gates.build(speed * timer_speed),
            lock_lease=self.lock.lease_s,
            variables=dict(self.variables),
            secrets={key: secret.ref() for key, secret in self.secrets.items()},
            judged=self.verdict.build(self.canary.weights, len(self.regions), speed),
            recover=self.recover,
            dispatch=self.dispatch,
            guard=built.Guard(self.guard.limit, self.guard.alpha, self.guard.on_bad),
            progressive=built.Progressive(self.canary.weights, self.window_s / speed),
            hotfix=self.hotfix.build(speed),
            maintenance=self.maintenance.build(),
            backup=self.backup,
            checks=self.checks.build(),
            rehearsal=self.rehearsal.build(),
            kubernetes_secret=self.kubernetes_secret,
            values=dict(self.values),
        )
