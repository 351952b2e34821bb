"""What a GitHub release's body says: its notes, and the strategy that a line of it may ask for."""

from __future__ import annotations

import re

from release import plan
from release.environment import Strategy
from release.errors import Refused

# `strategy: canary`, also as an item of a list, bold, or with the word in backticks.
_STRATEGY = re.compile(r"^[ \t]*(?:[-*][ \t]+)?\**strategy\**[ \t]*:\**[ \t]*`?([\w-]+)`?\.?[ \t]*\r?$", re.I | re.M)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)


def strategy_of(body: str) -> Strategy | None:
    """The strategy that a line `strategy: canary` asks for; None without one.

    Raises Refused for a word that is no strategy, and for two lines that say different ones.
    """
    asked = {word.lower() for word in _STRATEGY.findall(_COMMENT.sub("", body))}
    if len(asked) > 1:
        raise Refused(
            f"the release's body asks for more than one strategy: {', '.join(sorted(asked))}.",
            field="strategy",
            next_step="Leave one of the lines in the GitHub release, or give --strategy.",
        )
    return plan.strategy(asked.pop()) if asked else None


def text(body: str) -> str:
    """What is written for people: the body without comments and the line that chooses a strategy; may be empty."""
    return _STRATEGY.sub("", _COMMENT.sub("", body)).strip()
