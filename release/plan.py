"""Which regions, in which waves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from release.environment import Environment, Strategy
from release.errors import Refused

IMPLEMENTED: tuple[Strategy, ...] = ("rolling",)


def strategy(name: str) -> Strategy:
    """The strategy of that name. Raises Refused for an unknown one, and for one that this version cannot do."""
    for known in get_args(Strategy):
        if known != name:
            continue
        if known in IMPLEMENTED:
            return known  # type: ignore[no-any-return]
        raise Refused(
            f"the strategy {name} is not built yet.", field="strategy", next_step="Release with --strategy rolling."
        )
    raise Refused(
        f"there is no strategy {name!r}.",
        field="strategy",
        next_step=f"Choose one of {', '.join(get_args(Strategy))}.",
    )


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
