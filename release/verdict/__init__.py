"""The verdict on a new version's live traffic: counts in, verdict out, readable after every poll.

`judge` compares a canary with the stable version beside it; `watch` holds a version against an absolute limit.
"""

from __future__ import annotations

from release.verdict.counts import Block, Counts, Gap, Rate, Sample
from release.verdict.judge import Entry, advance, course, judge, observe, past, replay
from release.verdict.policy import SPECIFIED, Margins, Mixture, Policy
from release.verdict.result import Cause, Finding, Kind, Verdict
from release.verdict.state import State, start
from release.verdict.watch import Limit, Watching, start_watch, watch

__all__ = [
    "SPECIFIED",
    "Block",
    "Cause",
    "Counts",
    "Entry",
    "Finding",
    "Gap",
    "Kind",
    "Limit",
    "Margins",
    "Mixture",
    "Policy",
    "Rate",
    "Sample",
    "State",
    "Verdict",
    "Watching",
    "advance",
    "course",
    "judge",
    "observe",
    "past",
    "replay",
    "start",
    "start_watch",
    "watch",
]
