"""The week's report on how the team releases: DORA's five measures beside those of the week before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from release.dora import Measures

_NONE = "no data"


@dataclass(frozen=True, slots=True)
class Report:
    """The measures from `since` to `until`, and those of as long a time before."""

    since: datetime
    until: datetime
    now: Measures
    before: Measures


def span(seconds: float | None) -> str:
    """A time as people say it: `42 s`, `12 min`, `5.2 h`, `3.1 days`; `no data` for None."""
    if seconds is None:
        return _NONE
    for unit, size in (("days", 86400.0), ("h", 3600.0)):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def share(rate: float | None) -> str:
    """A rate from 0 to 1 in percent; `no data` for None."""
    return _NONE if rate is None else f"{rate:.0%}"


def rows(report: Report) -> list[tuple[str, str, str]]:
    """(measure, this period, the period before)."""
    now, before = report.now, report.before
    return [
        ("Deployments to production", f"{now.deployments}", f"{before.deployments}"),
        ("Deployment frequency", f"{now.per_day:.1f} a day", f"{before.per_day:.1f} a day"),
        ("Change lead time (median)", span(now.lead_time), span(before.lead_time)),
        ("Change fail rate", share(now.fail_rate), share(before.fail_rate)),
        ("Failed deployment recovery time (median)", span(now.recovery_time), span(before.recovery_time)),
        ("Deployment rework rate", share(now.rework_rate), share(before.rework_rate)),
    ]


def markdown(report: Report) -> str:
    """The report as Markdown."""
    lines = [f"# Releases from {report.since:%Y-%m-%d} to {report.until:%Y-%m-%d}", ""]
    lines += ["| measure | this period | before |", "|---|---|---|"]
    lines += [f"| {name} | {one} | {other} |" for name, one, other in rows(report)]
    return "\n".join(lines)


def slack(report: Report) -> str:
    """The report as a message."""
    lines = [f":bar_chart: Releases from {report.since:%Y-%m-%d} to {report.until:%Y-%m-%d}"]
    lines += [f"{name}: {one} (before: {other})" for name, one, other in rows(report)]
    return "\n".join(lines)
