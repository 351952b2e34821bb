"""A real Prometheus that scrapes the operator service and has the alert rules, and the dashboard's questions to it."""

from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI
from overuvicorn import served

from config import load
from sandbox.prometheus import PrometheusServer

MONITORING = load.CHECKOUT / "infrastructure" / "monitoring"
# The rules' minutes are so many seconds here: a test cannot wait for an hour.
MINUTE = 6


def quick_rules(folder: Path) -> Path:
    """The alert rules as they are, with shorter minutes."""
    text = (MONITORING / "alerts.yml").read_text()
    path = folder / "alerts.yml"
    path.write_text(re.sub(r"(?<=[\[ ])(\d+)m\b", lambda found: f"{int(found[1]) * MINUTE}s", text))
    return path


# What gives data only while clusters and gateways are there, and a release is under way in them.
CLUSTERS = {
    "Releases in flight: time since the lock was won A",
    "Releases in flight: share of the users by slot A",
    "Releases in flight: evidence on the canary and where it decides A",
    "Releases in flight: evidence on the canary and where it decides B",
    "Requests that fail, by environment A",
    "Lock held for A",
}


class Monitored:
    """Questions to a Prometheus server."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        url = f"{self.address}/api/v1/query"
        answer = httpx.get(url, params={"query": expression}, timeout=10, trust_env=False).json()
        assert answer["status"] == "success", (expression, answer)
        return list(answer["data"]["result"])

    def value(self, expression: str) -> float | None:
        found = self.ask(expression)
        return float(found[0]["value"][1]) if found else None

    def firing(self) -> set[tuple[str, str]]:
        """(alert, environment) of what fires."""
        answer = httpx.get(f"{self.address}/api/v1/alerts", timeout=10, trust_env=False).json()
        found = [one["labels"] for one in answer["data"]["alerts"] if one["state"] == "firing"]
        return {(one["alertname"], one.get("environment", "")) for one in found}


def until(condition: Callable[[], bool], within: float, what: str) -> None:
    """Returns as soon as it holds."""
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends, f"not within {within:.0f} s: {what}"
        time.sleep(0.2)


@contextmanager
def running(work: Callable[[], Any]) -> Iterator[Any]:
    """What the async context manager `work()` gives, kept open in a loop and a thread of its own."""
    ready: threading.Event = threading.Event()
    found: dict[str, Any] = {}

    async def hold() -> None:
        found["loop"], found["end"] = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with work() as given:
                found["given"] = given
                ready.set()
                await found["end"].wait()
        except BaseException as error:
            found["error"] = error
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: asyncio.run(hold()), daemon=True)
    thread.start()
    ready.wait(90)
    assert "given" in found, found.get("error", "it did not start")
    try:
        yield found["given"]
    finally:
        found["loop"].call_soon_threadsafe(found["end"].set)
        thread.join(30)


@asynccontextmanager
async def serving(router: APIRouter, port: int) -> AsyncIterator[str]:
    """A router on a port of the loopback."""
    app = FastAPI()
    app.include_router(router)
    async with served(app, port) as address:
        yield address.removeprefix("http://")


@asynccontextmanager
async def prometheus(folder: Path, gateway: str, service: str, regions: Mapping[str, str]) -> AsyncIterator[Monitored]:
    """A Prometheus with the rules, which scrapes the gateway and the service (HOST:PORT) four times a second."""
    rules = str(quick_rules(folder))
    server = PrometheusServer(
        folder / "data", load.cache(), folder / "log", speed=20, rules=rules, environments=regions, say=print
    )
    try:
        yield Monitored(await server.start(gateway, service))
    finally:
        await server.stop()


def expressions() -> dict[str, str]:
    """Title -> expression of every panel and annotation of the dashboard, with the variables of "All"."""
    board = json.loads((MONITORING / "dashboard.json").read_text())
    found = {one["name"]: one["expr"] for one in board["annotations"]["list"]}
    for panel in board["panels"]:
        for target in panel["targets"]:
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    return {title: _filled(expression) for title, expression in found.items()}


def _filled(expression: str) -> str:
    variables = {"$environment": ".*", "$region": ".*", "$__range": "1h", "$__rate_interval": "30s"}
    for name, value in variables.items():
        expression = expression.replace(name, value)
    return expression


class Board:
    """Every expression of the dashboard, asked again and again: `silent` are those that never gave data."""

    def __init__(self, prometheus: Monitored) -> None:
        self._prometheus = prometheus
        self.silent = expressions()

    def look(self) -> set[str]:
        """The titles that give data now. No number is ever NaN or infinite."""
        given = set()
        for title, expression in expressions().items():
            numbers = [float(one["value"][1]) for one in self._prometheus.ask(expression)]
            assert all(map(math.isfinite, numbers)), (title, numbers)
            if numbers:
                given.add(title)
                self.silent.pop(title, None)
        return given


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
