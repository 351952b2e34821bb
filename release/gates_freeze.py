"""Freeze windows: times in which no release starts, by an iCalendar rule (RFC 5545) in a time zone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from release.errors import Refused

_DURATION = re.compile(r"P(?:(?P<weeks>\d+)W|(?:(?P<days>\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)")
# More often than daily is no freeze but a mistake, and would take long to count from its start.
_TOO_OFTEN = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.IGNORECASE)
_MOST_WINDOWS = 100
# Windows that cover each other are followed for so long.
FURTHEST = timedelta(days=90)
_MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Duration:
    """RFC 5545's: `days` keep the time of day over a clock change, `seconds` are exact."""

    days: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Freeze:
    """A window that begins at `start` (local time in `zone`) and at each time that `rule`, an RRULE, gives from there;
    only once where the rule is empty."""

    name: str
    start: datetime
    duration: Duration
    zone: str = "UTC"
    rule: str = ""

    def ends_after(self, at: datetime) -> datetime | None:
        """When the window that `at` (aware) lies in ends, in the freeze's zone; None outside of every window."""
        begun = self._begun(at)
        if begun is None:
            return None
        # Days are added to the wall clock, seconds to real time.
        exact = (begun + timedelta(days=self.duration.days)).astimezone(UTC) + timedelta(seconds=self.duration.seconds)
        return exact.astimezone(begun.tzinfo) if at < exact else None

    def _begun(self, at: datetime) -> datetime | None:
        """The last begin at or before `at`; a later window never ends before an earlier one."""
        zone = ZoneInfo(self.zone)
        first = self.start.replace(tzinfo=zone)
        if not self.rule:
            return first if first <= at else None
        found: datetime | None = rrulestr(self.rule, dtstart=first).before(at, inc=True)
        return found


def freeze(name: str, start: datetime, duration: str, zone: str = "UTC", rule: str = "") -> Freeze:
    """A checked freeze. Raises ValueError that says which part is wrong."""
    if start.tzinfo is not None:
        raise ValueError("start is a local time of the time zone: write it without an offset")
    if _TOO_OFTEN.search(rule):
        raise ValueError("rrule is daily or rarer: FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
    try:
        found = Freeze(name, start, parse_duration(duration), zone, rule.removeprefix("RRULE:"))
        ZoneInfo(zone)
        found.ends_after(start.replace(tzinfo=UTC) + timedelta(days=1))
    except KeyError:
        raise ValueError(f"there is no time zone {zone!r}") from None
    except ValueError as error:
        raise ValueError(f"rrule or duration is wrong: {error}") from None
    return found


def ahead(freezes: Iterable[Freeze], since: datetime, until: datetime) -> list[tuple[Freeze, datetime, datetime]]:
    """The windows (freeze, begin, end) that are open at `since` or begin before `until`, the next first."""
    found = []
    for one in freezes:
        first = one.start.replace(tzinfo=ZoneInfo(one.zone))
        rule = rrulestr(one.rule, dtstart=first) if one.rule else None
        begins = [first] if rule is None else list(rule.between(since, until, inc=True))[:_MOST_WINDOWS]
        begins += [last] if rule is not None and (last := rule.before(since)) is not None else []
        for begin in begins:
            end = one.ends_after(begin)
            if end is not None and end > since and begin < until:
                found.append((one, begin, end))
    return sorted(found, key=lambda window: window[1])


def parse_duration(text: str) -> Duration:
    """`P2DT16H`, `PT90M`, `P1W`. Raises ValueError for anything else, and for nothing."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration; write it as P2DT16H")
    weeks, days = int(match["weeks"] or 0), int(match["days"] or 0)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[2:])
    found = Duration(weeks * 7 + days, hours * 3600 + minutes * 60 + seconds)
    if found == Duration(0, 0):
        raise ValueError("a duration must be longer than nothing")
    return found


def frozen(freezes: Iterable[Freeze], at: datetime) -> tuple[Freeze, datetime] | None:
    """The freeze that `at` (aware) lies in and when one may start again; None outside of all of them.

    Windows that touch or overlap count as one. Where they never end, it is at least `FURTHEST` later.
    """
    every = tuple(freezes)
    first: Freeze | None = None
    opens = at
    for _ in range(_MOST_STEPS):
        found = [(end, one) for one in every if (end := one.ends_after(opens)) is not None]
        if not found or opens - at >= FURTHEST:
            break
        end, one = max(found, key=itemgetter(0))
        first, opens = first or one, end
    return None if first is None else (first, opens)


def moment(text: str, zone: str) -> datetime:
    """`YYYY-MM-DDTHH:MM` as a time in `zone`, or with its own offset. Raises Refused for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is no time.", field="at", next_step="Write it as 2026-11-27T17:05.") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(zone))
