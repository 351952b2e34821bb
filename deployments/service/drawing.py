"""Small pictures in the page's own colours: SVG, without a style of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from release.board_regions import SlotView
from release.dora import Measures


def split(slots: Sequence[SlotView]) -> Markup:
    """A bar of the users' split; the words beside it say the same, so it is hidden from screen readers."""
    parts, left = [], 0
    for slot in slots:
        if slot.weight:
            box = f'x="{left}%" width="{slot.weight}%" height="100%"'
            parts.append(f'<rect class="slot-{slot.slot}" {box}/>')
            left += slot.weight
    return Markup(f'<svg aria-hidden="true">{"".join(parts)}</svg>')  # noqa: S704 - numbers and fixed words


def bars(weeks: Sequence[Measures]) -> Markup:
    """Deployments by week, oldest first, those that failed at the foot; with a sentence for who cannot see it."""
    most = max((week.deployments for week in weeks), default=0)
    total, failed = sum(week.deployments for week in weeks), sum(week.failed for week in weeks)
    label = f"{len(weeks)} weeks: {total} deployments, {failed} failed; at most {most} in a week"
    parts = []
    for index, week in enumerate(weeks):
        for kind, count in (("all", week.deployments), ("failed", week.failed)):
            if count:
                parts.append(_bar(kind, index, len(weeks), count / most))
    return _drawn(label, parts, f"{len(weeks)} weeks, at most {most} in one")


def by_week(weeks: Sequence[Measures], field: str, told: Callable[[float | None], str]) -> Markup:
    """One measure by week, oldest first: `told` says a week's number. A week without data has no bar, one of 0 has a
    low one."""
    values = [getattr(week, field) for week in weeks]
    known = [value for value in values if value is not None]
    if not known:
        return Markup('<span class="soft small">by week: no data</span>')
    most = max(known)
    label = f"{len(weeks)} weeks, oldest first: {', '.join(map(told, values))}"
    parts = [
        _bar("all", index, len(weeks), value / most if most else 0.0)
        for index, value in enumerate(values)
        if value is not None
    ]
    return _drawn(label, parts, f"{len(weeks)} weeks, at most {told(most)}")


def _bar(kind: str, index: int, count: int, part: float) -> str:
    wide, high = 100 / max(1, count), max(1.5, 42 * part)
    place = f'x="{index * wide + 0.5:.2f}" width="{wide - 1:.2f}"'
    return f'<rect class="{kind}" {place} y="{43 - high:.2f}" height="{high:.2f}"/>'


def _drawn(label: str, parts: Sequence[str], below: str) -> Markup:
    start = '<svg class="drawn" viewBox="0 0 100 44" preserveAspectRatio="none" role="img">'
    inside = [f"<title>{label}</title>", '<line x1="0" x2="100" y1="43.5" y2="43.5"/>', *parts]
    words = f'<span class="soft small number">{below}</span>'
    return Markup(f"{start}{''.join(inside)}</svg>{words}")  # noqa: S704 - numbers and fixed words
