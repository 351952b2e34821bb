"""The configuration of what is watched on live traffic."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.base import Model, Seconds
from release import environment as built
from release.verdict.policy import Margins, Policy


class Verdict(Model):
    """How a canary is judged against the stable version beside it; docs/decisions/verdict.md says why so."""

    provider: built.Provider = "gateway"
    poll_s: Annotated[float, Field(ge=0.2, le=300)] = 1
    alpha: Annotated[float, Field(gt=0, le=0.1)] = 0.001
    latency: bool = True
    # How much worse, in points of its error rate, a version may be that still goes on: less needs more requests.
    margin: Annotated[float, Field(gt=0, le=0.2)] = 0.01
    # How long a gateway may take until it has taken over a weight.
    settle_s: Annotated[float, Field(ge=0, le=600)] = 5
    min_step_s: Seconds = 30
    step_deadline_s: Annotated[float, Field(gt=0, le=86_400)] = 1800
    stale_after_s: Annotated[float, Field(gt=0, le=3600)] = 10
    hold_after_s: Annotated[float, Field(gt=0, le=3600)] = 30
    give_up_after_s: Annotated[float, Field(gt=0, le=86_400)] = 120
    on_no_traffic: Literal["rollback", "hold"] = "rollback"
    on_provider_down: Literal["rollback", "hold"] = "hold"
    on_deadline: Literal["rollback", "hold"] = "rollback"

    def build(self, weights: tuple[int, ...], regions: int, speed: float) -> built.Judged:
        policy = Policy(
            weights=weights,
            alpha=self.alpha,
            regions=regions,
            errors=Margins(delta1=self.margin),
            latency=Policy().latency if self.latency else None,
            settle=self.settle_s,
            min_step=self.min_step_s,
            step_deadline=self.step_deadline_s,
            stale_after=self.stale_after_s,
            hold_after=self.hold_after_s,
            give_up_after=self.give_up_after_s,
            on_no_traffic=self.on_no_traffic,
            on_provider_down=self.on_provider_down,
            on_deadline=self.on_deadline,
        )
        return built.Judged(policy.faster(speed), self.provider, max(0.2, self.poll_s / speed))


class Guard(Model):
    """What the rollback window goes on watching, after every strategy."""

    limit: Annotated[float, Field(gt=0, lt=1)] = 0.01
    alpha: Annotated[float, Field(gt=0, le=0.1)] = 0.001
    on_bad: Literal["page", "rollback"] = "page"
