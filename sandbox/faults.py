"""Faults of the outside world, switched while it runs: one proxy before each address, by name and region."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, get_args

from release.errors import Refused
from sandbox.faultproxy import OK, Fault, FaultProxy, Mode

LYING = "lying"
# Told (on, region or None for all) when something is to lie.
Liar = Callable[[bool, str | None], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """The state of one proxy. `address` is HOST:PORT."""

    name: str
    region: str | None
    address: str
    mode: str
    seconds: float
    retry_after: float


class Faults:
    """All fault proxies of the sandbox; names: kubernetes, gateway, registry, git, github, slack, backup, ..."""

    def __init__(self, proxies: Iterable[FaultProxy] = ()) -> None:
        self._proxies = list(proxies)
        self._liars: dict[str, Liar] = {}
        self._lying: dict[str, set[str | None]] = {}

    def add(self, proxy: FaultProxy) -> FaultProxy:
        """Take a proxy under this roof; gives it back."""
        self._proxies.append(proxy)
        return proxy

    def add_liar(self, name: str, liar: Liar) -> None:
        """Let `name` have the mode `lying`: what it tells stays as it is."""
        self._liars[name] = liar

    async def start(self) -> None:
        """Start every proxy that does not listen yet."""
        await asyncio.gather(*(proxy.start() for proxy in self._proxies))

    async def stop(self) -> None:
        """Stop every proxy."""
        await asyncio.gather(*(proxy.stop() for proxy in self._proxies))

    async def set(self, name: str, mode: str, region: str | None = None, **parameters: Any) -> None:
        """Switch `name` to `mode`, in one region or in all. Parameters, with their defaults: see `Fault`.

        Raises Refused for an unknown name, region, mode or parameter.
        """
        if mode == LYING:
            await self._lie(name, region)
            return
        chosen = self._chosen(name, region)
        fault = _fault(mode, parameters)
        await asyncio.gather(*(proxy.set(fault) for proxy in chosen))
        if mode == OK.mode:
            await self._tell_truth(name, region)

    async def clear(self) -> None:
        """End all faults."""
        await asyncio.gather(*(proxy.set(OK) for proxy in self._proxies))
        for name in list(self._lying):
            await self._tell_truth(name, None)

    def state(self) -> list[dict[str, Any]]:
        """One plain object a proxy, in the order they were added: the fields of `Shown`."""
        return [asdict(self._shown(proxy)) for proxy in self._proxies]

    def _shown(self, proxy: FaultProxy) -> Shown:
        fault = proxy.fault
        lies = self._lying.get(proxy.name, set()) & {None, proxy.region}
        mode = LYING if lies and fault == OK else fault.mode
        return Shown(proxy.name, proxy.region, proxy.address, mode, fault.seconds, fault.retry_after)

    def _chosen(self, name: str, region: str | None) -> list[FaultProxy]:
        named = [proxy for proxy in self._proxies if proxy.name == name]
        if not named:
            names = ", ".join(dict.fromkeys(proxy.name for proxy in self._proxies))
            raise Refused(f"the sandbox has no {name!r}.", field="name", next_step=f"choose one of {names}")
        chosen = [proxy for proxy in named if region in (None, proxy.region)]
        if not chosen:
            regions = ", ".join(str(proxy.region) for proxy in named if proxy.region) or "none: leave it out"
            raise Refused(
                f"{name} has no region {region!r} of its own.", field="region", next_step=f"regions: {regions}"
            )
        return chosen

    async def _lie(self, name: str, region: str | None) -> None:
        if name not in self._liars:
            names = ", ".join(self._liars) or "nothing"
            raise Refused(f"{name} cannot lie.", field="mode", next_step=f"what can: {names}")
        self._lying.setdefault(name, set()).add(region)
        await self._told(name, True, region)

    async def _tell_truth(self, name: str, region: str | None) -> None:
        lies = self._lying.get(name, set())
        if not lies:
            return
        self._lying[name] = set() if region is None else lies - {region}
        await self._told(name, False, region)

    async def _told(self, name: str, on: bool, region: str | None) -> None:
        answer = self._liars[name](on, region)
        if answer is not None:
            await answer


def _fault(mode: str, parameters: Mapping[str, Any]) -> Fault:
    known = next((word for word in get_args(Mode) if word == mode), None)
    if known is None:
        words = ", ".join((*get_args(Mode), LYING))
        raise Refused(f"there is no fault {mode!r}.", field="mode", next_step=f"choose one of {words}")
    try:
        numbers = {key: float(value) for key, value in parameters.items()}
        fault = Fault(mode=known, **numbers)
    except (TypeError, ValueError) as error:
        raise Refused("a fault's parameters are numbers named seconds and retry_after.", field="parameters") from error
    if fault.seconds < 0 or fault.retry_after < 0:
        raise Refused("a fault's parameters are not negative.", field="parameters")
    return fault
