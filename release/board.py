"""The release board: what is seen, folded into what is shown. Pure, so that it is tested without a cluster.

What is live and what is wrong must be told in one look: that is the headline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from release import board_regions, board_releases
from release.board_regions import RegionView, Tone
from release.board_releases import ReleaseView
from release.board_seen import Measured, Past, Seen, SeenApproval, SeenFreeze
from release.versions import shown

# The order in which people look: what users have first.
_ORDER = ("production", "staging", "development")
_RANK: dict[Tone, int] = {"bad": 0, "warn": 1, "busy": 2, "good": 3, "none": 4}
# Beyond so many, regions are counted and not named.
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of the headline; `anchor` is the id of the part of the page it is about, empty for none."""

    tone: Tone
    text: str
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """What a person must know first: `lead` (about the part with the id `anchor`), and what else there is."""

    tone: Tone
    lead: str
    anchor: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """An environment: its regions, what is live in them as a sentence, and how its last release ended."""

    name: str
    tone: Tone
    live: str
    regions: tuple[RegionView, ...]
    halted: Past | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """All that is shown, as of `at`; `past` are the newest of `count` past releases.

    `actors` says who started the run of each id, where that is known.
    """

    at: float
    target: str
    application: str
    headline: Headline
    environments: tuple[EnvironmentView, ...]
    releases: tuple[ReleaseView, ...]
    approvals: tuple[SeenApproval, ...]
    freezes: tuple[SeenFreeze, ...]
    past: tuple[Past, ...]
    count: int
    measured: Measured | None
    actors: Mapping[str, str]
    silent: tuple[str, ...] = ()

    def release(self, run: str) -> ReleaseView | None:
        """The release under way of that run."""
        return next((one for one in self.releases if one.run == run), None)

    def environment(self, name: str) -> EnvironmentView | None:
        """The environment of that name."""
        return next((one for one in self.environments if one.name == name), None)


def fold(seen: Seen) -> Board:
    """The board of one look."""
    releases = tuple(board_releases.view(lock, lock.held, seen) for lock in seen.locks if lock.held is not None)
    names = sorted({one.environment for one in seen.regions}, key=lambda name: (_place(name), name))
    environments = tuple(_environment(name, seen, releases) for name in names)
    silent = tuple(f"{name} does not answer: {why}" for name, why in sorted(seen.silent.items()))
    return Board(
        at=seen.at,
        target=seen.target,
        application=seen.application,
        headline=_headline(seen, environments, releases, silent),
        environments=environments,
        releases=tuple(sorted(releases, key=lambda one: (_RANK[one.tone], _place(one.environment)))),
        approvals=tuple(sorted(seen.approvals, key=lambda one: one.since)),
        freezes=tuple(sorted(seen.freezes, key=lambda one: one.begins)),
        past=seen.past,
        count=seen.count,
        measured=seen.measured,
        actors=dict(seen.actors),
        silent=silent,
    )


def region_anchor(environment: str, region: str) -> str:
    """The id of a region's row."""
    return f"region-{environment}-{region}"


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _environment(name: str, seen: Seen, releases: Sequence[ReleaseView]) -> EnvironmentView:
    here = next((one for one in releases if one.environment == name and not one.lapsed), None)
    rows = tuple(
        board_regions.view(one, seen.at, under_way=here is not None, back=bool(here and here.back))
        for one in seen.regions
        if one.environment == name
    )
    newest = seen.deployed.get(name)
    halted = newest if newest is not None and newest.outcome == "halted" and here is None else None
    worst = min(rows, key=lambda row: _RANK[row.tone], default=None)
    tone: Tone = "bad" if halted else (worst.tone if worst else "none")
    # Of many regions those that are not well are at the top; the others stay in their places.
    first = tuple(sorted(rows, key=lambda row: min(_RANK[row.tone], _RANK["busy"])))
    return EnvironmentView(name, tone, _live(rows), first, halted)


def _live(rows: Sequence[RegionView]) -> str:
    """`v1.4.0 is live in all 3 regions`, or how many regions have which version; and how many are in trouble."""
    bad = sum(row.tone == "bad" for row in rows)
    trouble = f", {bad} in trouble" if bad and len(rows) > 1 else ""
    return f"{_versions(rows)}{trouble}"


def _versions(rows: Sequence[RegionView]) -> str:
    counts = Counter(row.version for row in rows)
    if not rows or set(counts) == {""}:
        return "nothing is live"
    if len(rows) == 1:
        return f"{shown(rows[0].version)} is live"
    if len(counts) == 1:
        return f"{shown(rows[0].version)} is live in all {len(rows)} regions"
    told = [f"{shown(version) if version else 'nothing'} in {count}" for version, count in counts.most_common()]
    return f"{', '.join(told)} of {len(rows)} regions"


def _headline(
    seen: Seen, environments: Sequence[EnvironmentView], releases: Sequence[ReleaseView], silent: Sequence[str]
) -> Headline:
    """The worst first. A release that goes its way is no alarm; what nobody can see is one."""
    lines = [*_wrong(environments), *map(_release_line, releases), *map(_approval_line, seen.approvals)]
    lines += [Line("warn", text) for text in silent]
    lines += [Line("warn", f"{one.environment} is frozen: {one.name}") for one in seen.freezes if one.begins <= seen.at]
    lines.sort(key=lambda line: _RANK[line.tone])
    first = environments[0] if environments else None
    live = f"{first.name}: {first.live}." if first else "No environment is configured."
    if lines and lines[0].tone in ("bad", "warn"):
        return Headline(lines[0].tone, lines[0].text, lines[0].anchor, (*lines[1:], Line("none", live)))
    if lines:
        return Headline("busy", lines[0].text, lines[0].anchor, (*lines[1:], Line("none", live)))
    return Headline("good" if first else "none", live)


def _wrong(environments: Sequence[EnvironmentView]) -> list[Line]:
    lines = []
    for one in environments:
        if one.halted is not None:
            text = f"{one.name} is HALTED, a person must decide: {one.halted.reason}"
            lines.append(Line("bad", text, f"past-{one.halted.run}"))
        for tone in ("bad", "warn"):
            lines += _same_trouble(one, [row for row in one.regions if row.tone == tone])
    return lines


def _same_trouble(environment: EnvironmentView, rows: Sequence[RegionView]) -> list[Line]:
    """Regions with the same trouble are told together."""
    by_note: dict[str, list[RegionView]] = {}
    for row in rows:
        by_note.setdefault(row.note, []).append(row)
    lines = []
    for note, found in by_note.items():
        names = [row.region for row in found if row.region != environment.name]
        where = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        text = f"{' '.join(part for part in (environment.name, where) if part)}: {note}"
        lines.append(Line(found[0].tone, text, region_anchor(environment.name, found[0].region)))
    return lines


def _release_line(one: ReleaseView) -> Line:
    split = f", users are split in {', '.join(one.split[:_NAMED])}" if one.split and one.tone == "busy" else ""
    text = f"{one.what} {one.state}{split}" if one.state.startswith("is ") else f"{one.what}: {one.state}{split}"
    return Line(one.tone, text, f"release-{one.run}")


def _approval_line(one: SeenApproval) -> Line:
    people = "person" if one.missing == 1 else "people"
    still = f"{one.missing} {people} must still approve" if one.missing else (one.reason or "it waits for its timer")
    return Line("warn" if one.missing else "busy", f"{one.what}: {still}", f"approval-{one.run}")
