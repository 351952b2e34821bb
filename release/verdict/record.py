"""What a verdict saw, as lines of JSON: stored with the release, and judged again offline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from release.verdict.counts import Block, Counts, Gap
from release.verdict.judge import Entry
from release.verdict.policy import Margins, Mixture, Policy


@dataclass(frozen=True, slots=True)
class Stored:
    """`given` is the last verdict's sentence as the release was told it; empty where the run broke off before."""

    policy: Policy
    entries: Sequence[Entry]
    title: str = ""
    given: str = ""


def dump(stored: Stored) -> str:
    """The policy on the first line, then one entry a line, then what was given."""
    lines = [head(stored.policy, stored.title), *map(line, stored.entries)]
    return "".join([*lines, end(stored.given)] if stored.given else lines)


def head(policy: Policy, title: str) -> str:
    """The first line, to be written before anything is judged."""
    return _json({"policy": asdict(policy), "title": title})


def line(entry: Entry) -> str:
    """The line of one entry."""
    block = entry.block
    return _json(
        {
            "now": entry.now,
            "weight": entry.weight,
            "seconds": block.seconds,
            "canary": _counts(block.canary),
            "stable": _counts(block.stable),
            "route": None if block.route is None else _counts(block.route),
            "entry": block.entry,
            "bounds": block.bounds,
            "gap": block.gap,
        }
    )


def end(given: str) -> str:
    """The last line."""
    return _json({"given": given})


def load(text: str) -> Stored:
    """What `dump` wrote. Lines around it, and half of a last line, are left out.

    Raises ValueError where the text is something else.
    """
    whole = [each for each in text.splitlines(keepends=True) if each.startswith("{") and each.endswith("\n")]
    try:
        first, *rest = map(json.loads, whole)
        given = "".join(each["given"] for each in rest if "given" in each)
        entries = tuple(entry(each) for each in rest if "given" not in each)
        return Stored(policy(first), entries, str(first.get("title", "")), given)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"this is not a stored verdict: {error}") from error


def entry(plain: dict[str, Any]) -> Entry:
    """The entry of a line that was read. Raises LookupError and TypeError for another line."""
    route, gap = plain["route"], plain["gap"]
    block = Block(
        seconds=plain["seconds"],
        canary=_read(plain["canary"]),
        stable=_read(plain["stable"]),
        route=None if route is None else _read(route),
        entry=plain["entry"],
        bounds=tuple(plain["bounds"]),
        gap=None if gap is None else Gap(gap),
    )
    return Entry(plain["now"], plain["weight"], block)


def policy(first: dict[str, Any]) -> Policy:
    """The policy of the first line that was read. Raises as `entry`."""
    plain = first["policy"]
    against = plain["against"]
    nested = {
        "weights": tuple(plain["weights"]),
        "favour": tuple(plain["favour"]),
        "errors": Margins(**plain["errors"]),
        "latency": None if plain["latency"] is None else Margins(**plain["latency"]),
        "against": Mixture(**{**against, "rates": tuple(against["rates"]), "shares": tuple(against["shares"])}),
    }
    return Policy(**{**plain, **nested})


def _json(plain: dict[str, Any]) -> str:
    return json.dumps(plain, separators=(",", ":")) + "\n"


def _counts(counts: Counts) -> list[int]:
    return [counts.requests, counts.errors, *counts.within]


def _read(numbers: list[int]) -> Counts:
    return Counts(numbers[0], numbers[1], tuple(numbers[2:]))
