"""Image builds with a Docker Engine: the real builder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from clients.builds import Build, Builder, OnLine
from clients.docker_engine import connected
from clients.docker_job import Job
from clients.registry import Registry
from release.errors import Refused, Unavailable

__all__ = ["Build", "Builder", "EngineBuilder", "engine_reachable"]


async def engine_reachable(host: str, timeout: int = 5) -> str | None:
    """The version of the engine at `host` (unix:///path.sock, tcp://host:port), None when none answers."""
    try:
        return await asyncio.to_thread(_version, host, timeout)
    except (Unavailable, Refused):
        return None


class EngineBuilder:
    """Builds with the engine at `host` and pushes to `registry`, with that client's credentials.

    `cache_from` are tags whose layers are fetched first, for an engine that keeps nothing from run to run.
    `silence` is how long, in seconds, the engine may say nothing during a step.
    """

    name = "Docker Engine"

    def __init__(self, host: str, registry: Registry, *, cache_from: Sequence[str] = (), silence: int = 600) -> None:
        self._host = host
        self._registry = registry
        self._cache_from = tuple(cache_from)
        self._silence = silence

    async def build_and_push(self, build: Build, on_line: OnLine) -> str:
        """See Builder."""
        loop = asyncio.get_running_loop()

        def say(line: str) -> None:
            loop.call_soon_threadsafe(on_line, line)

        job = Job(build, self._host, self._registry, self._cache_from, self._silence, say)
        try:
            pushed = await asyncio.to_thread(job.run)
        except asyncio.CancelledError:
            job.interrupt()
            raise
        return await self._verified(pushed)

    async def _verified(self, pushed: dict[str, str]) -> str:
        """The one digest that the engine pushed, once the registry says the same of every tag."""
        for tag, digest in pushed.items():
            held = await self._registry.manifest(tag)
            if held is None or held.digest != digest:
                raise Unavailable(
                    f"The engine pushed {digest}, but {self._registry.image}:{tag} names "
                    f"{held.digest if held else 'nothing'}.",
                    next_step="see who else pushes this tag, then run this again",
                )
        return next(iter(pushed.values()))


def _version(host: str, timeout: int) -> str:
    with connected(host, timeout) as engine:
        return str(engine.version()["Version"])
