"""What a verdict saw, as lines of JSON: stored with the release, and judged again offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from release.verdict.counts import Block, Counts, Gap
from release.verdict.judge import Entry
from release.verdict.policy import Margins, Mixture, Policy


def dump(policy: Policy, entries: Iterable[Entry]) -> str:
    """The policy on the first line, then one entry a line."""
    lines = [json.dumps({"policy": asdict(policy)}, separators=(",", ":"))]
    lines += [json.dumps(_plain(entry), separators=(",", ":")) for entry in entries]
    return "\n".join(lines) + "\n"


def load(text: str) -> tuple[Policy, Sequence[Entry]]:
    """What `dump` wrote. Raises ValueError where the text is something else."""
    lines = text.splitlines()
    try:
        policy = _policy(json.loads(lines[0])["policy"])
        return policy, tuple(_entry(json.loads(line)) for line in lines[1:] if line.strip())
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"this is not a stored verdict: {error}") from error


def _plain(entry: Entry) -> dict[str, Any]:
    block = entry.block
    return {
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


def _counts(counts: Counts) -> list[int]:
    return [counts.requests, counts.errors, *counts.within]


def _entry(plain: dict[str, Any]) -> Entry:
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


def _read(numbers: list[int]) -> Counts:
    return Counts(numbers[0], numbers[1], tuple(numbers[2:]))


def _policy(plain: dict[str, Any]) -> Policy:
    against = plain["against"]
    nested = {
        "weights": tuple(plain["weights"]),
        "favour": tuple(plain["favour"]),
        "errors": Margins(**plain["errors"]),
        "latency": None if plain["latency"] is None else Margins(**plain["latency"]),
        "against": Mixture(**{**against, "rates": tuple(against["rates"]), "shares": tuple(against["shares"])}),
    }
    return Policy(**{**plain, **nested})
