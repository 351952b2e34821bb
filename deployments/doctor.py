"""Looking at everything outside, without changing any of it: does it answer, does it let us in, is it right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from config import load
from deployments import doctor_service as service
from deployments import doctor_systems as systems
from deployments.doctor_regions import in_region
from release.doctor import Finding
from release.errors import TidegateError, Unavailable

Look = Callable[[], Awaitable[Finding]]


async def examine() -> tuple[Finding, ...]:
    """Every finding, in the order in which a person would read them. Raises Refused for a broken configuration."""
    settings = load.settings()
    environments = [load.environment(name) for name in load.ENVIRONMENTS]
    found = [Finding("configuration", "files", "ok", f"{load.folder()}, target {settings.target}")]
    looks: list[tuple[str, str, Look]] = [
        ("prefect", "server", systems.prefect),
        ("prefect", "database", systems.database),
        ("prefect", "pipelines", service.pipelines),
        ("prefect", "workers", service.workers),
        ("tidegate", "database", systems.own_database),
        ("gates", "people", systems.people),
        ("checks", "user", systems.checks),
        ("service", "webhook", service.webhook),
        ("service", "OpenID", service.openid),
        ("git", "repository", systems.git),
        ("registry", "credentials", systems.registry),
        ("helm", "executable", systems.helm),
        ("kubectl", "executable", systems.kubectl),
        ("engine", "builder", systems.engine),
        ("github", "token", systems.github),
        ("slack", "credentials", systems.slack),
        ("slack", "on call", systems.on_call),
        ("backup", "address", systems.backup),
        ("monitoring", "address", systems.monitoring),
    ]
    pairs = [(each, region) for each in environments for region in each.regions.values()]
    outside, regions = await asyncio.gather(
        asyncio.gather(*(guarded(*look) for look in looks)), asyncio.gather(*(in_region(*pair) for pair in pairs))
    )
    return (*found, *outside, *(finding for each in regions for finding in each))


async def guarded(about: str, what: str, look: Look) -> Finding:
    """The look's finding, or what kept it from being made."""
    try:
        return await look()
    except Unavailable as error:
        return Finding(about, what, "silent", error.what, error.next_step or "Start it, or correct its address.")
    except TidegateError as error:
        field = f"{error.field}: " if error.field else ""
        return Finding(about, what, "wrong", f"{field}{error.what}", error.next_step or f"Mend {error.field or what}.")


def ordered(found: Sequence[Finding]) -> list[Finding]:
    """What needs a person first."""
    grades = ("silent", "wrong", "note", "ok")
    return sorted(found, key=lambda one: grades.index(one.grade))
