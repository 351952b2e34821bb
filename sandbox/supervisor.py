"""The whole sandbox in one process: every part started side by side, and ended in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from clients.tools import ensure_helm, ensure_kubectl
from release.errors import TidegateError
from sandbox import overlay, people, state, summary, voters
from sandbox.clusterpart import ClusterPart
from sandbox.controls import Controls
from sandbox.faultproxy import FaultProxy
from sandbox.faults import Faults
from sandbox.gateway.gateway import Gateway
from sandbox.keptports import KeptPorts
from sandbox.options import Options
from sandbox.outside import Outside, proxied
from sandbox.page.observer import Observer
from sandbox.page.server import ControlServer
from sandbox.places import places
from sandbox.prefectserver import PrefectServer, of_home
from sandbox.progress import Progress
from sandbox.prometheus import PrometheusServer
from sandbox.regions import random_secrets
from sandbox.serving import Serving
from sandbox.timedfaults import TimedFaults
from sandbox.world import World

_CHECK_EVERY_S = 1.0


class Sandbox:
    """A sandbox in `home`; binaries and layers in `cache`. `async with Sandbox(...)`, or `start` and `stop`.

    Between them: `kubeconfig`, `control_url`, `world`, `gateway`, `outside` (slack, github, hooks,
    git, registry, engine), `cluster` (admin, node, plane) and `faults`. The overlay is written when all is up.
    `prefect` is a server that was begun before.
    """

    def __init__(
        self,
        home: Path,
        cache: Path,
        options: Options | None = None,
        say: Callable[[str], None] = lambda _: None,
        prefect: PrefectServer | None = None,
    ) -> None:
        self.home, self.options = home, (options or Options()).check()
        self.phase: state.Phase = "starting"
        folder = state.folder(home)
        self.prefect = prefect or of_home(home, cache)
        ports = KeptPorts(folder / "ports.json")
        self.progress = Progress(say)
        self.places = places(self.options.regions, ports)
        proxies = {name: FaultProxy(name, "127.0.0.1", 0, port=ports.port(name)) for name in proxied(self.options)}
        self._faults = Faults(proxies.values())
        self.faults = TimedFaults(self._faults)
        self.outside = Outside(folder, cache, self.options, self.progress, proxies)
        self.cluster = ClusterPart(folder, cache, self.options, self.progress, self._faults, self.places)
        self.prometheus = PrometheusServer(
            folder / "prometheus",
            cache,
            folder / "logs" / "prometheus.log",
            speed=self.options.speed,
            rules=self.options.rules,
            environments={place.name: place.environment for place in self.places},
            say=self.progress.say_of("prometheus"),
        )
        self.serving = Serving(home, folder / "logs", ports.port("service"))
        self._cache, self._control_port = cache, ports.port("control")
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self._values, self._people_secrets = random_secrets(), people.secrets()
        self.people = voters.People(self.prefect.database, self.prefect.api, self._people_secrets)
        self._control: ControlServer | None = None
        self._observer: Observer | None = None
        self.helm = self.kubectl = Path()

    @property
    def control_url(self) -> str:
        """The live page and the control API."""
        return self._control.url if self._control else ""

    @property
    def kubeconfig(self) -> Path:
        """A context a region."""
        return self.cluster.kubeconfig

    @property
    def world(self) -> World:
        """What node and gateway share: change behaviour in `world.overrides`."""
        return self.cluster.world

    @property
    def gateway(self) -> Gateway:
        """The simulated gateway, once started."""
        assert self.cluster.gateway is not None
        return self.cluster.gateway

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Everything up, and the settings pointing at it. Raises the first part's error; then call `stop`."""
        summary.record(self, "starting")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._start_prefect())
                group.create_task(self.outside.start())
                group.create_task(self._start_tools())
                group.create_task(self._start_cluster())
        except BaseExceptionGroup as failures:
            raise _first(failures) from failures
        secrets = {**self.outside.secrets(), **self._people_secrets}
        overlay.write(self.home, summary.addresses(self), secrets, self._values)
        self.outside.send_events_to(self.serving.url)
        await self._start_serving()
        if self.options.prefect:
            self.people.start()
        self.phase = "ready"
        if self._control is not None:
            self._control.ready()

    async def stop(self) -> None:
        """Everything down, in the order that leaves nobody waiting; safe at any time."""
        await self.serving.stop()
        await self.people.stop()
        overlay.remove(self.home)
        self.faults.stop()
        if self._control is not None:
            await self._control.stop()
        if self._observer is not None:
            await self._observer.close()
        await self._faults.stop()
        parts = (self.prometheus, self.cluster, self.outside, self.prefect)
        await asyncio.gather(*(part.stop() for part in parts))

    async def watch(self) -> None:
        """Runs until a part that must live has ended; raises its error."""
        while True:
            self.cluster.check()
            self.prometheus.check()
            self.serving.check()
            if self.options.prefect:
                self.prefect.check()
            await asyncio.sleep(_CHECK_EVERY_S)

    async def _start_prefect(self) -> None:
        if self.options.prefect:
            with self.progress.part("prefect", "real") as part:
                await self.prefect.start()
                part.address, part.detail = self.prefect.ui, "over an embedded PostgreSQL"

    async def _start_serving(self) -> None:
        """Last: it reads the settings that the others made."""
        if self.options.serve:
            with self.progress.part("serve", "real") as part:
                await self.serving.start()
                part.address, part.detail = self.serving.url, "GitHub's webhooks, a worker, the deployments"

    async def _start_tools(self) -> None:
        with self.progress.part("tools", "real") as part:
            say = self.progress.say_of("tools")
            self.helm = await ensure_helm(self._cache, say)
            self.kubectl = await ensure_kubectl(self._cache, say, server_minor=await self.cluster.minor())
            part.detail = "helm and kubectl"

    async def _start_cluster(self) -> None:
        await self.cluster.prepare(self._values)
        await self.outside.registry_up.wait()
        await self.cluster.populate(self.outside.access())
        monitoring = urlsplit(self.gateway.monitoring.address)
        self.outside.proxies["monitoring"].upstream = (str(monitoring.hostname), int(monitoring.port or 80))
        await asyncio.gather(self._start_control(), self._start_prometheus())

    async def _start_prometheus(self) -> None:
        if not self.options.prometheus:
            return
        with self.progress.part("prometheus", "real") as part:
            # Both ways through proxies: the gateway's metrics can fail it, and it can fail Tidegate.
            gateway, operator = self.outside.proxies["monitoring"].address, urlsplit(self.serving.url).netloc
            address = urlsplit(await self.prometheus.start(gateway, operator))
            proxy = self.outside.proxies["prometheus"]
            proxy.upstream = (str(address.hostname), int(address.port or 80))
            await proxy.start()
            part.address = self.outside.public("prometheus")
            part.detail = f"scrapes the gateway and the operator service every {self.prometheus.interval:g} s"

    async def _start_control(self) -> None:
        assert self.cluster.admin is not None
        with self.progress.part("page", "real") as part:
            self._observer = Observer(self.cluster.admin, [place.address() for place in self.places])
            self._control = ControlServer(Controls(self, self._observer, self.faults))
            part.address = await self._control.start(self._control_port)


def _first(failures: BaseExceptionGroup[Any]) -> BaseException:
    """The error that explains the most: one for a person before any other."""
    told = failures.subgroup(TidegateError) or failures
    found: BaseException = told
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
