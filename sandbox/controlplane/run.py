"""Run a real control plane on loopback: etcd, kube-apiserver, kube-controller-manager, no node."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from pathlib import Path

import httpx

from release.errors import Unavailable
from sandbox import kubeconfig
from sandbox.admin import Admin
from sandbox.child import Child
from sandbox.controlplane import flags
from sandbox.controlplane.build import Binaries
from sandbox.controlplane.keys import Keys, ensure_keys
from sandbox.ports import LOOPBACK, free_port

_POLL = 0.05
# Go collects garbage at 100 % growth. The API server's collections took a quarter of its time in an upgrade; the others
# have 60 MB less, and are not slower. The limit keeps a sandbox that was up for days small.
_GARBAGE = {"GOGC": "70"}
_GARBAGE_OF_API = {"GOGC": "300", "GOMEMLIMIT": "450MiB"}
# The API server makes its certificate for a year.
_CERTIFICATE_AGE = 300 * 86400.0


class ControlPlane:
    """The three servers on the data of `folder`, which survives stops, kills and new ports.

    `certificate` and `key` are the API server's own (PEM files): a proxy before it serves them too, and the
    certificate is what clients trust.
    """

    def __init__(self, folder: Path, binaries: Binaries, *, logs: Path | None = None) -> None:
        self.folder = folder
        self.certificate = folder / "certs" / "apiserver.crt"
        self.key = folder / "certs" / "apiserver.key"
        self.port = free_port()
        self._binaries = binaries
        self._logs = logs or folder / "logs"
        self._children: list[Child] = []

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of the servers that run, by name."""
        return {child.name: child.pid for child in self._children if child.alive and child.pid is not None}

    @property
    def admin(self) -> Admin:
        """The cluster-admin's access."""
        return Admin(f"https://{LOOPBACK}:{self.port}", self.certificate, self._keys().admin_token)

    async def start(self, timeout: float = 60.0) -> Admin:
        """Start all three, and return when the API is ready and the controllers work.

        Raises Unavailable, with the end of the log, when one of them ends or `timeout` (seconds) passes.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._start()
        except TimeoutError as error:
            await self.stop()
            raise Unavailable(
                f"The control plane was not ready within {timeout:g} s.",
                next_step=f"read the logs in {self._logs}",
            ) from error
        except BaseException:
            await self.stop()
            raise
        return self.admin

    async def stop(self, grace: float = 5.0) -> None:
        """Stop all three; etcd last, so that the others need not wait for it."""
        first = [child for child in self._children if child.name != "etcd"]
        await asyncio.gather(*(child.stop(grace) for child in first))
        await asyncio.gather(*(child.stop(grace) for child in self._children))
        self._children = []

    def check(self) -> None:
        """Raises Unavailable when one of the servers has ended."""
        for child in self._children:
            child.check()

    async def _start(self) -> None:
        keys = self._keys()
        self._forget_old_certificate()
        client_port, peer_port = free_port(), free_port()
        etcd = await self._child("etcd", flags.etcd(self._binaries.etcd, self.folder, client_port, peer_port))
        await _until_open(etcd, client_port)
        certs = self.certificate.parent
        api = await self._child(
            "kube-apiserver", flags.apiserver(self._binaries.apiserver, keys, certs, self.port, client_port)
        )
        await self._until_ready(api)
        config = self.folder / "controller-manager.kubeconfig"
        access = kubeconfig.Access("controllers", self.admin.server, self.certificate.read_bytes(), keys.manager_token)
        kubeconfig.write(config, [access])
        manager = flags.controller_manager(self._binaries.controller_manager, keys, config)
        await self._child("kube-controller-manager", manager)
        await self._until_controllers_work()

    async def _child(self, name: str, argv: list[str]) -> Child:
        garbage = _GARBAGE_OF_API if name == "kube-apiserver" else _GARBAGE
        child = Child(name, argv, self._logs / f"{name}.log", env={**os.environ, **garbage})
        self._children.append(child)
        await child.start()
        return child

    async def _until_ready(self, api: Child) -> None:
        while not (self.certificate.exists() and self.key.exists()):
            api.check()
            await asyncio.sleep(_POLL)
        await self._until_found(self.admin, "/readyz")

    async def _until_controllers_work(self) -> None:
        # Every pod needs its namespace's service account, which a controller makes.
        await self._until_found(self.admin, "/api/v1/namespaces/default/serviceaccounts/default")

    async def _until_found(self, admin: Admin, path: str) -> None:
        # The certificate is this server's own: another one left on the port would not pass.
        context = ssl.create_default_context(cafile=str(admin.ca_file))
        headers = {"Authorization": f"Bearer {admin.token}"}
        async with httpx.AsyncClient(base_url=admin.server, headers=headers, verify=context, trust_env=False) as client:
            while True:
                self.check()
                try:
                    if (await client.get(path, timeout=5)).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(_POLL)

    def _keys(self) -> Keys:
        return ensure_keys(self.folder / "keys")

    def _forget_old_certificate(self) -> None:
        if self.certificate.exists() and time.time() - self.certificate.stat().st_mtime > _CERTIFICATE_AGE:
            self.certificate.unlink()
            self.key.unlink(missing_ok=True)


async def _until_open(child: Child, port: int) -> None:
    while True:
        child.check()
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            await asyncio.sleep(_POLL)
        else:
            writer.close()
            return
