"""The configuration of the gates before a release, and of the people who may open them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from config.base import Model, Seconds
from release import gates as built
from release import gates_freeze


class Freeze(Model):
    """A time in which nothing is released: it begins at `start`, local time, and again as the RRULE says."""

    name: Annotated[str, Field(min_length=1)]
    start: datetime
    duration: str
    rrule: str = ""
    time_zone: str | None = None

    @model_validator(mode="after")
    def understood(self) -> Self:
        self.build("UTC")
        return self

    def build(self, zone: str) -> gates_freeze.Freeze:
        return gates_freeze.freeze(self.name, self.start, self.duration, self.time_zone or zone, self.rrule)


class Gates(Model):
    """What must be true before a release touches the environment."""

    approvals: Annotated[int, Field(ge=0, le=10)] = 0
    wait_s: Seconds = 0
    protected_branch: str | None = None
    expire_s: Annotated[float, Field(ge=60, le=1_209_600)] = 86_400
    scheduled: Literal["approvals", "none"] = "approvals"
    time_zone: str = "UTC"
    freezes: tuple[Freeze, ...] = ()

    @field_validator("time_zone")
    @classmethod
    def known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {value!r}") from None
        return value

    def build(self, speed: float) -> built.Gates:
        """The wait divided by `speed`; how long votes count is kept."""
        freezes = tuple(one.build(self.time_zone) for one in self.freezes)
        wait = self.wait_s / speed
        zone = self.time_zone
        return built.Gates(self.approvals, wait, self.protected_branch, self.expire_s, freezes, zone, self.scheduled)
