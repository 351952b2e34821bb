"""A sandbox of its own for a measurement: the commands are the ones people give, the figures are the gateway's own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from clients.metrics import traefik
from clients.metrics_text import TextMetrics
from config import load
from release.environment import Region
from release.verdict import Sample
from sandbox import state
from sandbox.shop import history

APP = "shop"
Act = Callable[[], Awaitable[None]]
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Told:
    """How a command ended, and its outcome (empty where no run began)."""

    code: int
    outcome: Mapping[str, Any]
    text: str

    def require_done(self) -> None:
        """Raises RuntimeError with what was shown when it did not end well."""
        if self.code:
            raise RuntimeError(self.text)

    def require(self, *words: str) -> Told:
        """Itself. Raises RuntimeError with what was shown when it ended otherwise."""
        if self.outcome.get("word") not in words:
            raise RuntimeError(f"it ended as {self.outcome.get('word') or self.code}:\n{self.text}")
        return self


class World:
    """`async with World(speed=1, regions=1, users=50)`: up, and down again with its data whatever happens.

    The split of the users and a version's errors are drawn at random, as real ones are. Nobody has to approve, and
    versions made for it need no release notes.
    """

    def __init__(self, *, speed: float, regions: int, users: float) -> None:
        self._options = ("--speed", f"{speed:g}", "--regions", str(regions), "--users", f"{users:g}")
        self.home = Path(tempfile.mkdtemp(prefix="tidegate-bench-"))

    async def __aenter__(self) -> Self:
        os.environ["TIDEGATE_HOME"] = str(self.home)
        try:
            (await self.tidegate("sandbox", "up", *self._options, as_json=False)).require_done()
            self.configure({"gates": {"approvals": 0, "wait_s": 0}, "checks": {"release_notes": False}})
            await self.control("PUT", "/api/traffic", {"split": "random"})
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        await self.tidegate("sandbox", "down", "--purge", as_json=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def configure(self, production: Mapping[str, Any]) -> None:
        """Lay these keys over production's configuration."""
        overlay = self.home / "overlay" / "production.yaml"
        overlay.write_text(yaml.safe_dump({**yaml.safe_load(overlay.read_text()), **production}, sort_keys=False))

    async def tidegate(self, *argv: str, as_json: bool = True, when: str = "", then: Act | None = None) -> Told:
        """Run a command to its end; `then` is done as soon as it shows a line with `when` in it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "deployments.cli",
            *argv,
            *(["--json"] if as_json else []),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=load.CHECKOUT,
            env={**os.environ, "TIDEGATE_HOME": str(self.home), "COLUMNS": "200"},
        )
        assert process.stdout is not None
        assert process.stderr is not None
        reading, err = asyncio.create_task(process.stdout.read()), ""
        async for line in process.stderr:
            err += line.decode(errors="replace")
            if then is not None and when in err:
                act, then = then, None
                await act()
        out = (await reading).decode(errors="replace")
        await process.wait()
        outcome = json.loads(out) if out.lstrip().startswith("{") else {}
        return Told(process.returncode or 0, outcome, err if outcome else out + err)

    async def bring_live(self, labels: Sequence[Mapping[str, str]]) -> list[str]:
        """Versions that behave as their images' labels say, all staged, the first one live; their tags."""
        tags = []
        for number, each in enumerate(labels):
            version = f"2.{number}.0"
            history.add_version(self.home / "sandbox" / "git" / "shop.git", version, each)
            tags.append(f"v{version}")
            (await self.tidegate("stage", tags[-1])).require("released")
            if number == 0:
                (await self.tidegate("release", tags[0], "--accept-no-way-back")).require("released")
        return tags

    async def lift(self, tag: str) -> None:
        """Let a version that was taken back be released again."""
        lifted = ("quarantine", "lift", tag, "--reason", "it is measured once more")
        (await self.tidegate(*lifted)).require("lifted")

    async def control(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        """Change the sandbox while it runs."""
        found = state.read(self.home)
        assert found is not None
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            (await client.request(method, found.control + path, json=body)).raise_for_status()

    @staticmethod
    def regions() -> Mapping[str, Region]:
        """Production's."""
        return load.environment("production").regions

    async def moments(self, run: str, *parts: str) -> list[float]:
        """When a run first told a line with each of these in it. Raises RuntimeError where it never did."""
        for _ in range(20):
            lines = await self.lines(run)
            found = [next((at for at, line in lines if part in line), None) for part in parts]
            if None not in found:
                return [at for at in found if at is not None]
            # Lines reach the Prefect server a little later than people.
            await asyncio.sleep(0.5)
        raise RuntimeError(f"{parts} are not all among {[line for _, line in lines]}")

    @staticmethod
    async def lines(run: str) -> list[tuple[float, str]]:
        """What a run told, with the moments (seconds since the epoch) at which it did."""
        api = load.settings().prefect.api
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:

            async def ask(what: str, body: Mapping[str, Any]) -> list[Any]:
                answer = await client.post(f"{api}/{what}/filter", json=body)
                return list(answer.raise_for_status().json())

            flows, newest = [run], [run]
            while newest:
                tasks = [one["id"] for one in await ask("task_runs", {"task_runs": {"flow_run_id": {"any_": newest}}})]
                below = {"flow_runs": {"parent_task_run_id": {"any_": tasks}}}
                newest = [one["id"] for one in await ask("flow_runs", below)] if tasks else []
                flows += newest
            lines: list[tuple[float, str]] = []
            while True:
                chosen = {"logs": {"flow_run_id": {"any_": flows}}, "sort": "TIMESTAMP_ASC", "limit": _PAGE}
                page = await ask("logs", {**chosen, "offset": len(lines)})
                lines += [(_seconds(one["timestamp"]), one["message"]) for one in page]
                if len(page) < _PAGE:
                    return lines


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Counters:
    """A region's counters, read from its gateway as Prometheus text."""

    def __init__(self, region: Region) -> None:
        monitoring = load.settings().monitoring
        self._metrics = TextMetrics(str(monitoring.metrics))
        self._target = traefik(region.name, APP, region.namespace, f"{APP}-green", f"{APP}-blue", entry="web")

    async def read(self) -> Sample:
        return await self._metrics.sample(self._target)

    async def failed(self) -> int:
        """Users' requests that failed so far, as the route counts them: of both versions and of the gateway itself."""
        route = (await self.read()).route
        return 0 if route is None else route.errors

    async def close(self) -> None:
        await self._metrics.close()
