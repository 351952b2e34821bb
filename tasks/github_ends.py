"""What GitHub is told of a region's deployment: how it began, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tasks import context

# It takes half a second, which not every run needs.
if TYPE_CHECKING:
    from clients.github import GitHub

State = Literal["success", "failure", "error", "inactive"]
# Seconds that a limit of GitHub's is waited for.
AT_ONCE = 0.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A deployment that began; `number` is None where GitHub does not know it yet."""

    ref: str
    environment: str
    description: str
    payload: Mapping[str, Any]
    number: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How it ended, `at` in seconds since the epoch; `address` is where its users are, `log` its run's page."""

    state: State
    description: str
    address: str
    log: str = ""
    at: float = 0.0


async def create(github: GitHub, begun: Begun) -> int:
    """Its number."""
    production = begun.environment.startswith("production")
    return await github.create_deployment(
        begun.ref, begun.environment, begun.description, production=production, payload=begun.payload
    )


async def known(github: GitHub, begun: Begun) -> int | None:
    """Its number, also where only GitHub's answer was lost; None where GitHub was not told of it."""
    if begun.number is not None:
        return begun.number
    found = await github.deployments(begun.environment, ref=begun.ref)
    return next((one.id for one in found if one.payload == begun.payload), None)


async def in_progress(github: GitHub, number: int, description: str) -> None:
    await github.deployment_status(
        number, "in_progress", description=description, environment_url="", log_url=context.run_url()
    )


async def ended(github: GitHub, number: int, end: End) -> None:
    await github.deployment_status(
        number, end.state, description=end.description, environment_url=end.address, log_url=end.log
    )
