"""Small pictures in the page's own colours: SVG, without a style of their own."""

from __future__ import annotations

from collections.abc import Sequence

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
    parts = [f"<title>{label}</title>", '<line x1="0" x2="100" y1="43.5" y2="43.5"/>']
    wide = 100 / max(1, len(weeks))
    for index, week in enumerate(weeks):
        place = f'x="{index * wide + 0.5:.2f}" width="{wide - 1:.2f}"'
        for kind, count in (("all", week.deployments), ("failed", week.failed)):
            if count:
                high = 42 * count / most
                parts.append(f'<rect class="{kind}" {place} y="{43 - high:.2f}" height="{high:.2f}"/>')
    start = '<svg class="drawn" viewBox="0 0 100 44" preserveAspectRatio="none" role="img">'
    return Markup(f"{start}{''.join(parts)}</svg>")  # noqa: S704 - numbers and fixed words
