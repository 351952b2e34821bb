"""What all pods of the simulated node share."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.node.api import Api
from sandbox.node.events import Events
from sandbox.node.images import ImageSource
from sandbox.node.schedule import Machine, place, requests_of
from sandbox.world import World

_FIRST = int(ipaddress.IPv4Address("10.128.0.1"))
_LAST = int(ipaddress.IPv4Address("10.255.255.254"))


class Addresses:
    """Unique pod addresses; one that was given back is not used again soon."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._next = _FIRST

    def take(self) -> str:
        while True:
            address = str(ipaddress.IPv4Address(self._next))
            self._next = _FIRST if self._next >= _LAST else self._next + 1
            if address not in self._used:
                self._used.add(address)
                return address

    def keep(self, address: str) -> None:
        """Marks the address of a pod that was there before the node was."""
        self._used.add(address)

    def give_back(self, address: str) -> None:
        self._used.discard(address)


class Scheduler:
    """Keeps count of what the machines have left."""

    def __init__(self, machines: list[Machine]) -> None:
        self.machines = machines
        self._freed = asyncio.Event()

    def named(self, name: str) -> Machine | None:
        return next((machine for machine in self.machines if machine.name == name), None)

    def take(self, uid: str, spec: Mapping[str, Any]) -> Machine | str:
        """Room for a pod, counted at once; or the message that says why there is none."""
        found = place(spec, self.machines)
        if isinstance(found, Machine):
            found.pods[uid] = requests_of(spec)
        return found

    def keep(self, uid: str, spec: Mapping[str, Any], machine: Machine) -> None:
        machine.pods[uid] = requests_of(spec)

    def release(self, uid: str) -> None:
        """Gives back a pod's room and lets those that wait try again."""
        for machine in self.machines:
            if machine.pods.pop(uid, None) is not None:
                self.freed()

    def freed(self) -> None:
        self._freed.set()
        self._freed = asyncio.Event()

    async def wait(self) -> None:
        """Until room was given back."""
        await self._freed.wait()


@dataclass(frozen=True, slots=True)
class Shared:
    api: Api
    world: World
    images: ImageSource
    events: Events
    scheduler: Scheduler
    addresses: Addresses = field(default_factory=Addresses)

    async def wait(self, seconds: float) -> None:
        """A wait of the simulation: divided by its speed."""
        await asyncio.sleep(seconds / self.world.speed)
