"""Kubernetes with everything on it: control plane (or the user's cluster), regions, node, gateway and users."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox import certificate, usercluster
from sandbox.admin import Admin
from sandbox.api import Api
from sandbox.controlplane import build
from sandbox.controlplane.crds import apply_crds
from sandbox.controlplane.run import ControlPlane
from sandbox.faultproxy import FaultProxy
from sandbox.faults import Faults
from sandbox.gateway.gateway import Gateway
from sandbox.node.images import ImageSource
from sandbox.node.node import Node
from sandbox.options import Options
from sandbox.places import Place
from sandbox.progress import Progress
from sandbox.regions import ensure_regions
from sandbox.registry import RegistryAccess
from sandbox.world import World

_SIMULATED = "tidegate.dev/simulated"
# Room for two slots and a surge in each region, on machines of at most 110 pods.
_REGIONS_A_NODE = 4


class ClusterPart:
    """Start it with `prepare`, then, when the registry is up, `populate`. `kubeconfig` has a context a region."""

    def __init__(
        self, folder: Path, cache: Path, options: Options, progress: Progress, faults: Faults, places: Sequence[Place]
    ) -> None:
        self._folder, self._cache, self._options = folder, cache, options
        self._progress, self._faults, self._places = progress, faults, places
        self.kubeconfig = folder / "kubeconfig"
        self.world = World({place.context: place.name for place in places}, speed=options.speed)
        self.plane: ControlPlane | None = None
        self.node: Node | None = None
        self.gateway: Gateway | None = None
        self.admin: Admin | None = None
        # What the API server calls itself, such as v1.37.2: not always what would be built here.
        self.version, self._answers = "", asyncio.Event()

    @property
    def pids(self) -> dict[str, int]:
        """Processes that it started."""
        return self.plane.pids if self.plane else {}

    async def minor(self) -> int:
        """The API server's minor version, such as 37, as soon as it answers."""
        await self._answers.wait()
        found = re.match(r"v1\.(\d+)", self.version)
        return int(found[1]) if found else build.MINOR

    def check(self) -> None:
        """Raises Unavailable when a server of the control plane has ended."""
        if self.plane is not None:
            self.plane.check()

    async def prepare(self, values: Mapping[str, str]) -> None:
        """The API server with all regions, and the proxies before it; `values` are the application's secrets."""
        if self._options.kubeconfig:
            await self._use(Path(self._options.kubeconfig), values)
            return
        say = self._progress.say_of("kubernetes")
        binaries, crds = await asyncio.gather(
            build.ensure(self._cache, say), build.ensure_crds(self._cache, self._progress.say_of("gateway-api"))
        )
        with self._progress.part("kubernetes", "real") as part:
            logs = self._folder / "logs"
            plane = self.plane = ControlPlane(self._folder / "kubernetes", binaries, logs=logs)
            self.admin = await plane.start()
            await self._ask(self.admin)
            part.address, part.detail = self.admin.server, self.version
        await self._regions(crds, plane.certificate.read_bytes(), values)
        await self._api_proxies(("127.0.0.1", plane.port), (plane.certificate, plane.key), None)

    async def populate(self, registry: RegistryAccess) -> None:
        """Node, gateway and users, side by side."""
        assert self.admin is not None
        gateway = self.gateway = Gateway(self.admin, self.world, rate=self._options.users)
        await asyncio.gather(self._start_node(self.admin, registry), self._start_gateway(gateway))

    async def stop(self) -> None:
        """Node and gateway, then the control plane."""
        parts = [part for part in (self.gateway, self.node) if part is not None]
        await asyncio.gather(*(part.stop() for part in parts))
        if self.plane is not None:
            await self.plane.stop()

    async def _use(self, kubeconfig: Path, values: Mapping[str, str]) -> None:
        crds = await build.ensure_crds(self._cache, self._progress.say_of("gateway-api"))
        with self._progress.part("kubernetes", "real") as part:
            cluster = await usercluster.connect(kubeconfig, self._folder / "kubernetes")
            self.admin = cluster.admin
            await self._ask(cluster.admin)
            part.address, part.detail = cluster.admin.server, f"{self.version}, the cluster of {kubeconfig}"
        pair = certificate.self_signed(self._folder / "kubernetes")
        await self._regions(crds, pair[0].read_bytes(), values)
        await self._api_proxies((cluster.host, cluster.port), pair, cluster.reencrypt())

    async def _ask(self, admin: Admin) -> None:
        async with Api(admin) as api:
            self.version = str((await api.get("/version") or {}).get("gitVersion", ""))
        self._answers.set()

    async def _regions(self, crds: Sequence[Path], authority: bytes, values: Mapping[str, str]) -> None:
        assert self.admin is not None
        with self._progress.part("regions", "real") as part:
            await apply_crds(self.admin, crds)
            plans = [place.plan() for place in self._places]
            await ensure_regions(self.admin, plans, self.kubeconfig, authority=authority, values=values)
            part.detail = f"{len(plans)} namespaces, each with an account and an address of its own"

    async def _api_proxies(
        self, upstream: tuple[str, int], tls: tuple[Path, Path], reencrypt: ssl.SSLContext | None
    ) -> None:
        for place in self._places:
            proxy = FaultProxy("kubernetes", *upstream, region=place.name, tls=tls, reencrypt=reencrypt, port=place.api)
            self._faults.add(proxy)
        await self._faults.start()

    async def _start_node(self, admin: Admin, registry: RegistryAccess) -> None:
        if self._options.kubeconfig and await _has_nodes(admin):
            return
        with self._progress.part("node", "SIMULATED") as part:
            images = ImageSource(registry.url, username=registry.username, password=registry.password)
            self.node = Node(admin, self.world, images, nodes=4 + len(self._places) // _REGIONS_A_NODE)
            await self.node.start()
            part.detail = "binds pods and sets their status as their images' labels say"

    async def _start_gateway(self, gateway: Gateway) -> None:
        with self._progress.part("gateway", "SIMULATED") as part:
            for place in self._places:
                for listener, port in place.public.items():
                    served = place.served[listener]
                    self._faults.add(FaultProxy("gateway", "127.0.0.1", served, region=place.name, port=port))
            await asyncio.gather(gateway.start(), self._faults.start())
            part.detail = f"{self._options.users:g} users a second and region, times the speed"
        self._faults.add_liar("monitoring", self._lie)

    def _lie(self, on: bool, region: str | None) -> None:
        assert self.gateway is not None
        (self.gateway.monitoring.freeze if on else self.gateway.monitoring.thaw)(region)


async def _has_nodes(admin: Admin) -> bool:
    """Whether the user's cluster runs pods by itself."""
    async with Api(admin) as api:
        found = await api.get("/api/v1/nodes") or {}
    return any(_SIMULATED not in item["metadata"].get("labels", {}) for item in found.get("items", []))
