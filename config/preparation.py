"""The part of an environment's file that says how a release is prepared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from config.base import Model
from release import policies


class Maintenance(Model):
    """Maintenance mode while a release runs; it lapses after `max_s`, whatever became of the run."""

    mode: Literal["off", "banner", "block"] = "off"
    max_s: Annotated[float, Field(ge=5, le=86_400)] = 3600

    @field_validator("mode", mode="before")
    @classmethod
    def off_is_a_word(cls, value: object) -> object:
        # YAML reads a bare `off` as false.
        return "off" if value is False else value

    def build(self) -> policies.Maintenance:
        return policies.Maintenance(self.mode, self.max_s)


class Checks(Model):
    """The checks before a release; each can be turned off, and its line then says so."""

    release_notes: bool = True
    way_back: bool = True
    last_good: bool = True
    migrations: bool = True
    team_told: bool = True

    def build(self) -> policies.Checks:
        return policies.Checks(**self.model_dump())


class Rehearsal(Model):
    """Going back and forward again after a release, against a budget."""

    enabled: bool = False
    budget_s: Annotated[float, Field(gt=0, le=86_400)] = 120

    def build(self) -> policies.Rehearsal:
        return policies.Rehearsal(self.enabled, self.budget_s)
