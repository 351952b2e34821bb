"""What a release, and the run that does its work beside a region's cluster, tell each other. Plain data; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from release.errors import Failed, Halted, Refused, Spared, TidegateError, Unavailable
from release.outcome import RegionResult
from release.steering import Steering

# check: may it be released there; forward: bring it live; emergency: as a critical hotfix; back: to the last good
# version; retire: remove the slot whose window is over.
Do = Literal["check", "forward", "emergency", "back", "retire"]
Kind = Literal["Refused", "Failed", "Spared", "Stopped", "Halted", "Unavailable"]

_KINDS: Mapping[Kind, type[TidegateError]] = {
    "Refused": Refused,
    "Failed": Failed,
    "Spared": Spared,
    "Halted": Halted,
    "Unavailable": Unavailable,
}


@dataclass(frozen=True, slots=True)
class Told:
    """By the release: until when the region may act (`lapses`, seconds since the epoch: the lock is held so long),
    why the release stops, people's orders, and the weight that each region of the wave has accepted."""

    lapses: float
    stop: str = ""
    lost: bool = False
    steering: Steering = Steering()
    weights: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error on its way between two machines."""

    kind: Kind
    what: str
    region: str | None = None
    field: str | None = None
    next_step: str | None = None

    def error(self) -> TidegateError:
        """What it was; one that was only stopped is Spared, for who reads `kind` first."""
        kind = _KINDS.get(self.kind, Spared)
        return kind(self.what, region=self.region, field=self.field, next_step=self.next_step)


@dataclass(frozen=True, slots=True)
class Said:
    """By the region: that it lives (`beat` rises), the weight it has accepted, `failed` as soon as it knows, and at its
    end one of the two."""

    beat: int = 0
    reached: int = 0
    failed: bool = False
    result: RegionResult | None = None
    trouble: Trouble | None = None

    @property
    def ended(self) -> bool:
        return self.result is not None or self.trouble is not None


def trouble(error: TidegateError, region: str) -> Trouble:
    """The error by the nearest of the names that the other side knows."""
    known: tuple[Kind, ...] = get_args(Kind)
    kind: Kind = next((one for base in type(error).__mro__ for one in known if one == base.__name__), "Spared")
    return Trouble(kind, error.what, error.region or region, error.field, error.next_step)


def queue(environment: str, region: str) -> str:
    """The work queue whose workers have the region's credentials."""
    return f"{environment}-{region}"
