"""A real Prometheus server that scrapes the sandbox's gateway, and evaluates alert rules where it is given some."""

from __future__ import annotations

import shutil
import time
from asyncio import sleep
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import yaml

from release.errors import Unavailable
from sandbox.child import Child
from sandbox.debian import unpacked
from sandbox.ports import LOOPBACK, free_port

_NAME = "prometheus"
_READY_S = 30.0
_FASTEST_S, _USUAL_S = 0.25, 5.0


class PrometheusServer:
    """One in `folder`, its output in `log`, its executable in `cache`. `rules` is a file of alert rules, or a glob.

    It scrapes every 5 s divided by `speed`, at least every 0.25 s apart, and evaluates rules as often. The gateway
    names regions only: `environments` (region -> environment) is added to what it counts.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path,
        log: Path,
        *,
        speed: float = 1.0,
        rules: str | None = None,
        environments: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.interval = max(_FASTEST_S, _USUAL_S / speed)
        self._folder, self._cache, self._log = folder, cache, log
        self._rules, self._say = rules, say
        self._environments = environments or {}
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def start(self, scraped: str, operator: str | None = None) -> str:
        """Scrape the gateway at `scraped`, and the operator service (HOST:PORT both); gives the server's address,
        once it answers. Raises Unavailable."""
        binary = await self._binary()
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(yaml.safe_dump(self._configuration(scraped, operator), sort_keys=False))
        port = free_port()
        flags = {
            "config.file": configuration,
            "storage.tsdb.path": self._folder / "data",
            "storage.tsdb.retention.time": "1d",
            "web.listen-address": f"{LOOPBACK}:{port}",
            "log.level": "warn",
        }
        argv = [str(binary), *(f"--{name}={value}" for name, value in flags.items()), "--web.enable-lifecycle"]
        self._child = Child(_NAME, argv, self._log)
        await self._child.start()
        address = f"http://{LOOPBACK}:{port}"
        await self._comes_up(self._child, address)
        return address

    def check(self) -> None:
        """Raises Unavailable when it has ended."""
        if self._child is not None:
            self._child.check()

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    async def _binary(self) -> Path:
        installed = shutil.which(_NAME)
        if installed is not None:
            return Path(installed)
        found = await unpacked(_NAME, Path("usr/bin") / _NAME, self._cache / _NAME, self._say)
        if found is None:
            raise Unavailable(
                "No Prometheus can be had: none is on PATH, and apt-get cannot fetch Debian's.",
                next_step="put `prometheus` on PATH, or start the sandbox without --prometheus",
            )
        return found

    def _configuration(self, scraped: str, operator: str | None) -> dict[str, object]:
        every = f"{self.interval * 1000:.0f}ms"
        added = [
            {"source_labels": ["region"], "regex": region, "target_label": "environment", "replacement": environment}
            for region, environment in self._environments.items()
        ]
        gateway = {"static_configs": [{"targets": [scraped]}], "metric_relabel_configs": added}
        jobs = [{"job_name": "gateway", **gateway}]
        if operator is not None:
            jobs.append({"job_name": "tidegate", "honor_labels": True, "static_configs": [{"targets": [operator]}]})
        return {
            "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
            "rule_files": [self._rules] if self._rules else [],
            "scrape_configs": jobs,
        }

    async def _comes_up(self, child: Child, address: str) -> None:
        until = time.monotonic() + _READY_S
        async with httpx.AsyncClient(trust_env=False) as http:
            while time.monotonic() < until:
                child.check()
                try:
                    if (await http.get(f"{address}/-/ready")).is_success:
                        return
                except httpx.TransportError:
                    pass
                await sleep(0.05)
        raise Unavailable("Prometheus does not come up.", next_step=f"read {self._log}")
