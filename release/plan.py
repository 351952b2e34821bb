"""Which regions, in which waves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from release.environment import Environment, Strategy
from release.errors import Refused

STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)


def strategy(name: str) -> Strategy:
    """The strategy of that name. Raises Refused for an unknown one."""
    for known in STRATEGIES:
        if known == name:
            return known
    raise Refused(
        f"there is no strategy {name!r}.", field="strategy", next_step=f"Choose one of {', '.join(STRATEGIES)}."
    )


def metrics_address(url: str | None) -> str:
    """Where metrics are read. Raises Refused where there is no such address."""
    if url is None:
        raise Refused(
            "there is no address to read metrics from.",
            field="monitoring.metrics",
            next_step="Set it, or release with --strategy blue-green.",
        )
    return url


def require_judged(environment: Environment, strategy: Strategy, url: str | None) -> None:
    """Raises Refused for a canary that nobody could judge: before users are on it, not when they are."""
    if strategy != "canary":
        return
    metrics_address(url)
    if environment.judged.provider == "json":
        raise Refused(
            "an error rate as JSON tells nothing of one version beside another, so it cannot judge a canary.",
            field=f"{environment.name}.yaml: verdict.provider",
            next_step="Set it to gateway or prometheus, or release with --strategy blue-green.",
        )


def weights(environment: Environment, strategy: Strategy) -> tuple[int, ...]:
    """The shares of users a new version gets, up to all of them; empty where it is rolled out in place."""
    if strategy == "rolling":
        return ()
    return (100,) if strategy == "blue-green" else (*environment.progressive.weights, 100)


def waves(environment: Environment, only: Sequence[str] | None = None) -> tuple[tuple[str, ...], ...]:
    """The environment's waves, limited to the regions of `only`. Raises Refused for a region it has not."""
    if not only:
        return environment.waves
    for name in only:
        if name not in environment.regions:
            raise Refused(
                f"{environment.name} has no region {name!r}.",
                field="region",
                next_step=f"Choose among {', '.join(environment.regions)}.",
            )
    kept = (tuple(name for name in wave if name in only) for wave in environment.waves)
    return tuple(wave for wave in kept if wave)
