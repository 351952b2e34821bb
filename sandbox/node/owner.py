"""The pod, as its containers see it."""

from __future__ import annotations

from typing import Any, Protocol

from sandbox.node.shared import Shared


class Owner(Protocol):
    """`publish` writes the pod's status now, `publish_later` soon; `tell` reports an Event on a container."""

    pod: dict[str, Any]
    region: str
    address: str
    shared: Shared

    async def publish(self) -> None: ...
    def publish_later(self) -> None: ...
    def tell(self, reason: str, message: str, container: str, *, normal: bool = False) -> None: ...
