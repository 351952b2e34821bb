"""The numbers of a roll-out: how fast pods are replaced, how users are moved, how health is probed."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from config.base import Model, Seconds
from release import environment as built

Quantity = Annotated[str, StringConstraints(pattern=r"^([0-9]+|[0-9]{1,2}%|100%)$")]


class Rolling(Model):
    """The rolling strategy's numbers."""

    max_unavailable: Quantity = "25%"
    max_surge: Quantity = "25%"
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 1200
    ready_within_s: Seconds = 60
    scheduled_within_s: Seconds = 5
    poll_s: Annotated[float, Field(gt=0, le=60)] = 1
    settle_s: Annotated[float, Field(ge=0, le=60)] = 1

    @model_validator(mode="after")
    def moves(self) -> Self:
        if self.max_unavailable in ("0", "0%") and self.max_surge in ("0", "0%"):
            raise ValueError("max_unavailable and max_surge are both 0: the roll-out could never move")
        return self


class Canary(Model):
    """The weights of a canary before it gets all users; each is followed by a verdict."""

    weights: Annotated[tuple[Annotated[int, Field(ge=1, le=99)], ...], Field(min_length=1)] = (10, 25, 50)

    @model_validator(mode="after")
    def rising(self) -> Self:
        if list(self.weights) != sorted(set(self.weights)):
            raise ValueError("the weights must rise")
        return self


class Probe(Model):
    """Health probes of a region's address."""

    path: Annotated[str, StringConstraints(pattern=r"^/")] = "/health"
    attempts: Annotated[int, Field(ge=1, le=1000)] = 10
    gap_s: Seconds = 30
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 5


class HotfixProbe(Model):
    """Health probes after a critical hotfix."""

    attempts: Annotated[int, Field(ge=1, le=1000)] = 5
    gap_s: Seconds = 10


class Hotfix(Model):
    """A critical hotfix's own numbers."""

    max_unavailable: Quantity = "10%"
    max_surge: Quantity = "50%"
    timeout_s: Annotated[float, Field(gt=0, le=86_400)] = 300
    probe: HotfixProbe = HotfixProbe()
    approvals: Annotated[int, Field(ge=0, le=10)] = 1
    watch_s: Seconds = 300
    before_s: Seconds = 600
    error_limit: Annotated[float, Field(gt=0, lt=1)] = 0.02
    alpha: Annotated[float, Field(gt=0, le=0.5)] = 0.001

    def build(self, speed: float) -> built.Hotfix:
        """Waits divided by `speed`, time-outs kept."""
        return built.Hotfix(
            max_unavailable=self.max_unavailable,
            max_surge=self.max_surge,
            timeout=self.timeout_s,
            attempts=self.probe.attempts,
            gap=self.probe.gap_s / speed,
            approvals=self.approvals,
            watch=self.watch_s / speed,
            before=self.before_s / speed,
            error_limit=self.error_limit,
            alpha=self.alpha,
        )


class Lock(Model):
    """The environment's lock."""

    lease_s: Annotated[float, Field(ge=5, le=3600)] = 60
