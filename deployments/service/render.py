"""The board as HTML: parts with ids, so that only what changed goes to who looks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from markupsafe import Markup

from deployments.service import drawing
from deployments.service.pages import TEMPLATES
from release import messages
from release.board import Board, EnvironmentView, region_anchor
from release.dora_report import share, span
from release.versions import shown


@dataclass(frozen=True, slots=True)
class Rendered:
    """A board of a `version`: `parts` by id in the order of the page, `rows` by id within them."""

    version: int
    title: str
    parts: Mapping[str, str]
    rows: Mapping[str, str]
    shells: Mapping[str, str]

    @property
    def main(self) -> Markup:
        """The whole page's inside."""
        return Markup("\n".join(self.parts.values()))  # noqa: S704 - made by templates that escape

    def since(self, old: Rendered | None) -> str:
        """What makes `old` into this, as JSON: `whole`, or the `parts` to be replaced by id."""
        if old is None or list(old.parts) != list(self.parts):
            return json.dumps({"version": self.version, "title": self.title, "whole": self.main})
        changed: dict[str, str] = {}
        for name, html in self.parts.items():
            if html == old.parts[name]:
                continue
            if name in self.shells and self.shells[name] == old.shells.get(name):
                mine = [row for row in self.rows if row.startswith(f"region-{name.removeprefix('environment-')}-")]
                changed |= {row: self.rows[row] for row in mine if self.rows[row] != old.rows.get(row)}
            else:
                changed[name] = html
        return json.dumps({"version": self.version, "title": self.title, "parts": changed})


def render(board: Board, version: int) -> Rendered:
    """The board as it is shown to everybody; what somebody may not do is hidden by the page's own style."""
    parts = {"headline": _part("headline", board)}
    parts["releases"] = _part("releases", board)
    parts["approvals"] = _part("approvals", board)
    rows: dict[str, str] = {}
    shells: dict[str, str] = {}
    for one in board.environments:
        name = f"environment-{one.name}"
        own = {region_anchor(one.name, row.region): _part("region", board, row) for row in one.regions}
        rows |= own
        shells[name] = _shell(board, one, list(own))
        parts[name] = _part("environment", board, one, Markup("\n".join(own.values())))  # noqa: S704 - as above
    for name in ("freezes", "dora", "past"):
        parts[name] = _part(name, board)
    title = f"{_SIGN[board.headline.tone]} {board.headline.lead} · Tidegate"
    return Rendered(version, title, parts, rows, shells)


_SIGN = {"bad": "✖", "warn": "▲", "busy": "…", "good": "✓", "none": "·"}


def _part(name: str, *arguments: object) -> str:
    return str(getattr(_MODULE, name)(*arguments))


def _shell(board: Board, one: EnvironmentView, rows: list[str]) -> str:
    """An environment without its rows, and which there are."""
    return _part("environment", board, one, "") + " ".join(rows)


def moment(at: float) -> str:
    """`2026-11-23 08:15:30 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _iso(text: str) -> str:
    return text[:16].replace("T", " ")


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


TEMPLATES.filters |= {
    "moment": moment,
    "iso": _iso,
    "shown": shown,
    "short": _short,
    "seconds": messages.duration,
    "span": span,
    "share": share,
    "path": lambda text: quote(str(text), safe=""),
}
TEMPLATES.globals |= {
    "split": drawing.split,
    "bars": drawing.bars,
    "by_week": drawing.by_week,
    "span": span,
    "share": share,
    "sign": _SIGN,
}
_MODULE = TEMPLATES.get_template("parts.html").module
