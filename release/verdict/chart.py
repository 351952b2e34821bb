"""A verdict's course as a picture: SVG text, readable on light and dark grounds, for artifacts and pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from release.verdict.judge import Entry
from release.verdict.policy import Policy
from release.verdict.result import Kind, odds
from release.verdict.series import Point, changes, points

RATES, EVIDENCE = (58, 190), (238, 396)
LOWEST = -5.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture's size and its plots' margins, in its own units; `chars` of the verdict's sentence go on a line, 0
    where the page itself says it. What lines mean stands beside the plots, or, where that has no room, in them."""

    width: int
    height: int
    left: int
    right: int
    chars: int
    beside: bool = True

    @property
    def end(self) -> int:
        return self.width - self.right


WIDE, NARROW = Frame(860, 470, 64, 150, 118), Frame(380, 424, 68, 8, 0, beside=False)
LIGHT = {"ground": "#fff", "ink": "#1f2328", "soft": "#59636e", "line": "#d1d9e0"}
LIGHT |= {"canary": "#b35900", "stable": "#0969da", "good": "#1a7f37", "bad": "#cf222e"}
DARK = {"ground": "#0d1117", "ink": "#e6edf3", "soft": "#9198a1", "line": "#3d444d"}
DARK |= {"canary": "#f0a35e", "stable": "#58a6ff", "good": "#3fb950", "bad": "#ff7b72"}
_RULES = """
.ground{fill:var(--ground)}text{fill:var(--ink)}.soft{fill:var(--soft)}.axis{stroke:var(--line)}
polyline{fill:none;stroke-width:2;stroke-linejoin:round}.canary{stroke:var(--canary)}.stable{stroke:var(--stable)}
.good{stroke:var(--good)}.bad{stroke:var(--bad)}.raw{stroke-width:1;stroke-dasharray:2 3}
.bound{stroke-dasharray:6 4;stroke-width:1}.step{stroke:var(--line);stroke-dasharray:3 3}
text.canary,text.stable,text.good,text.bad{stroke:none}
text.canary{fill:var(--canary)}text.stable{fill:var(--stable)}text.good{fill:var(--good)}text.bad{fill:var(--bad)}
"""


def _variables(colours: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())


STYLE = (
    f"svg{{font:12px system-ui,sans-serif;{_variables(LIGHT)}}}"
    f"@media(prefers-color-scheme:dark){{svg{{{_variables(DARK)}}}}}{_RULES}"
)
# For what knows neither variables nor themes.
PLAIN = re.sub(r"var\(--(\w+)\)", lambda found: LIGHT[found[1]], _RULES)


def draw(policy: Policy, entries: Sequence[Entry], title: str = "", style: str = STYLE, frame: Frame = WIDE) -> str:
    """The course of what was stored: error rates above, evidence against its bounds below."""
    return picture(points(policy, entries), title, style, frame)


def picture(found: Sequence[Point], title: str = "", style: str = STYLE, frame: Frame = WIDE) -> str:
    """The same from points."""
    body = _picture(found, frame) if found else [_text(frame.left, 80, "Nothing was judged.", "soft")]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {frame.width} {frame.height}" role="img">'
    title = title or "Canary beside the stable version"
    parts = [head, f"<title>{escape(title)}</title>", f"<style>{style}</style>"]
    parts += [f'<rect class="ground" width="{frame.width}" height="{frame.height}"/>']
    return "\n".join([*parts, _text(frame.left if frame.beside else 8, 24, title, "", size=15), *body, "</svg>"])


def _picture(found: Sequence[Point], frame: Frame) -> list[str]:
    until = max(found[-1].at, 1.0)
    rates = [rate for point in found for rate in (point.canary, point.stable) if rate is not None]
    top = max(0.01, *rates, 0.0) * 1.1 if rates else 0.01
    last = found[-1].verdict
    highest = max(last.needed, last.wanted, 1.0) + 2.5

    def x(point: Point) -> float:
        return frame.left + (frame.end - frame.left) * point.at / until

    def evidence(value: float) -> float:
        return _scaled(EVIDENCE, LOWEST, highest, value)

    shown = [point for point in found if point.weight]
    parts = [*_steps(found, x), *_axis(frame, RATES, "errors", [(0.0, "0%"), (top, f"{top:.1%}")], top, 0.0)]
    parts += [
        _line(((x(p), _scaled(RATES, 0, top, p.stable)) for p in found if p.stable is not None), "stable"),
        _line(((x(p), _scaled(RATES, 0, top, p.canary)) for p in shown if p.canary is not None), "canary"),
    ]
    parts += _axis(frame, EVIDENCE, "evidence", [(0.0, "1:1")], highest, LOWEST)
    parts += [*_bound(frame, evidence(last.needed), f"rolls back: {odds(last.needed)}", "bad")]
    parts += [*_bound(frame, evidence(last.wanted), f"advances: {odds(last.wanted)}", "good")]
    parts += [
        _line(((x(p), evidence(p.verdict.suspicion)) for p in shown), "bad raw"),
        _line(((x(p), evidence(p.verdict.against)) for p in shown), "bad"),
        _line(((x(p), evidence(p.verdict.favour)) for p in shown), "good"),
    ]
    return [*parts, *(_legend(frame) if frame.beside else _legend_below(frame)), *_end(frame, found[-1], until)]


def _steps(found: Sequence[Point], x: Callable[[Point], float]) -> list[str]:
    parts = []
    for point in changes(found):
        at = x(point)
        parts.append(f'<line class="step" x1="{at:.1f}" x2="{at:.1f}" y1="{RATES[0] - 8}" y2="{EVIDENCE[1]}"/>')
        parts.append(_text(at + 3, RATES[0] - 12, f"{point.weight}%", "soft"))
    return parts


def _axis(
    frame: Frame, panel: tuple[int, int], name: str, marks: Iterable[tuple[float, str]], highest: float, lowest: float
) -> list[str]:
    top, bottom = panel
    parts = [
        f'<line class="axis" x1="{frame.left}" x2="{frame.left}" y1="{top}" y2="{bottom}"/>',
        f'<line class="axis" x1="{frame.left}" x2="{frame.end}" y1="{bottom}" y2="{bottom}"/>',
        _text(frame.left - 6, (top + bottom) / 2, name, "soft", anchor="end"),
    ]
    at = [(_scaled(panel, lowest, highest, value) + 4, text) for value, text in marks]
    return parts + [_text(frame.left - 6, y, text, "soft", anchor="end") for y, text in at]


def _bound(frame: Frame, y: float, text: str, kind: str) -> list[str]:
    line = f'<line class="bound {kind}" x1="{frame.left}" x2="{frame.end}" y1="{y:.1f}" y2="{y:.1f}"/>'
    place = (frame.end + 6, y + 4) if frame.beside else (frame.left + 6, y - 4)
    return [line, _text(*place, text, kind)]


def _legend(frame: Frame) -> list[str]:
    x = frame.end + 6
    return [
        _text(x, RATES[0] + 10, "canary", "canary"),
        _text(x, RATES[0] + 28, "stable", "stable"),
        _text(x, EVIDENCE[1] - 32, "against (dotted:", "bad"),
        _text(x, EVIDENCE[1] - 18, "without its cap)", "bad"),
        _text(x, EVIDENCE[1] - 2, "in favour", "good"),
    ]


def _legend_below(frame: Frame) -> list[str]:
    x, under = frame.left, (RATES[1] + 16, EVIDENCE[1] + 16)
    return [
        _text(x, under[0], "canary", "canary"),
        _text(x + 60, under[0], "stable", "stable"),
        _text(x, under[1], "against (dotted: without its cap)", "bad"),
        _text(x + 200, under[1], "in favour", "good"),
    ]


def _end(frame: Frame, last: Point, until: float) -> list[str]:
    seconds = _text(frame.end, EVIDENCE[1] + 16, f"{until:.0f} s", "soft", anchor="end")
    if not frame.chars:
        return [seconds]
    kind = {Kind.ROLLBACK: "bad", Kind.DROP: "bad", Kind.ADVANCE: "good"}.get(last.verdict.action, "")
    words, lines = last.verdict.sentence.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > frame.chars:
            lines.append("")
        lines[-1] += f"{word} "
    place = EVIDENCE[1] + 38
    return [seconds] + [_text(frame.left, place + 16 * i, line.strip(), kind) for i, line in enumerate(lines)]


def _line(path: Iterable[tuple[float, float]], kind: str) -> str:
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in path)}"/>'


def _scaled(panel: tuple[int, int], lowest: float, highest: float, value: float) -> float:
    part = (min(max(value, lowest), highest) - lowest) / (highest - lowest)
    return panel[1] - part * (panel[1] - panel[0])


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start", size: int = 12) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text class="{kind}" {place}>{escape(text)}</text>'
