"""`tidegate serve` as its visitors see it: Prometheus, and people at the board."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Self

import httpx
from chromium import Page
from desk import Desk
from prometheus_client.parser import text_string_to_metric_families

from config import load

REGION = "us-east-1"
LABELS = {"environment": "production", "region": REGION, "strategy": "canary", "pipeline": "production"}
Series = tuple[str, tuple[tuple[str, str], ...]]


class Service:
    """`tidegate serve` as its visitors see it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        settings = load.settings().service
        self.address = f"http://{settings.host}:{settings.port}"

    def get(self, path: str) -> str:
        return httpx.get(self.address + path, timeout=10, trust_env=False).raise_for_status().text

    def answers(self) -> bool:
        try:
            return bool(self.get("/metrics"))
        except httpx.HTTPError:
            return False

    def samples(self) -> dict[Series, float]:
        """What `/metrics` says now."""
        families = text_string_to_metric_families(self.get("/metrics"))
        found = [one for family in families for one in family.samples]
        return {(one.name, tuple(sorted(one.labels.items()))): one.value for one in found}

    def counters(self) -> dict[Series, float]:
        """Of them those that may only rise."""
        rising = ("_total", "_count", "_bucket")
        return {series: value for series, value in self.samples().items() if series[0].endswith(rising)}

    def weights(self) -> str:
        """The weights of the region as metrics have them, blue/green; empty where no release is under way."""
        place, samples = {"environment": "production", "region": REGION}, self.samples()
        name = "tidegate_traffic_weight_percent"
        found = [samples.get(series(name, **place, slot=slot)) for slot in ("blue", "green")]
        return "/".join(f"{weight:.0f}" for weight in found if weight is not None)

    def canary(self) -> bool:
        """Whether metrics have a canary of production under way."""
        return series("deployment_duration_seconds", **LABELS) in self.samples()

    def board(self) -> tuple[str, str]:
        """The weights of the region and what is under way, as people read them on the board."""
        page = self.get("/")
        row = page.partition(f'id="region-production-{REGION}"')[2]
        found = [re.search(rf"<b>{slot} (\d+) %", row) for slot in ("blue", "green")]
        card = re.search(r"<h3>(.*?)</h3>", page.partition('id="releases"')[2].partition("</section>")[0])
        # A slot without users is not named.
        weights = "/".join(weight[1] if weight else "0" for weight in found) if any(found) else ""
        return weights, card[1] if card else ""

    def status(self) -> tuple[str, str]:
        """The same by the command line."""
        shown = self._desk.tidegate("status", "--environment", "production", "--json").outcome
        return shown["regions"][0]["weights"], shown["locks"][0]["what"] if shown["locks"] else ""


def series(name: str, **labels: str) -> Series:
    """A sample's name and labels."""
    return name, tuple(sorted(labels.items()))


class Window:
    """The board in a browser, opened once and never loaded again."""

    def __init__(self, address: str) -> None:
        self._address, self._runner, self._page = address, asyncio.Runner(), Page()

    def __enter__(self) -> Self:
        self._runner.run(self._page.__aenter__())
        self._runner.run(self._page.go(self._address))
        self._loaded = self._value("performance.timeOrigin")
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._page.__aexit__(*error))
        self._runner.close()

    def shows(self, selector: str, text: str, within: float = 90.0) -> None:
        """Returns as soon as the text can be read there, on the page that was opened."""
        where = f"document.querySelector({json.dumps(selector)})"
        self._runner.run(self._page.until(f"{where} && {where}.innerText.includes({json.dumps(text)})", within))
        assert self._value("performance.timeOrigin") == self._loaded, "it was loaded anew"

    def _value(self, script: str) -> Any:
        return self._runner.run(self._page.value(script))
