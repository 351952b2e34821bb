"""What the verdict is measured against: seconds until found (median, 95th percentile), and until accepted."""

from __future__ import annotations

from typing import NamedTuple

NEVER = float("inf")


class Found(NamedTuple):
    """A bad canary at 10 % of the traffic, polled every 5 s, and how long the method is known to need."""

    rps: int
    base: float
    bad: float
    median: float
    late: float


class Rare(NamedTuple):
    """A bad canary that few requests reach: the share of the runs in which it is found by 600 s."""

    rps: int
    base: float
    bad: float
    share: float


class Accepted(NamedTuple):
    """A good canary: `steps` of 10 % only (at least 60 s), or 10/25/50 % (at least 30 s each)."""

    rps: int
    base: float
    margin: float
    steps: tuple[int, ...]
    least: float
    median: float
    late: float


class Slower(NamedTuple):
    """A canary that is slower, not wrong: a factor on every request, or a part that takes a second more."""

    name: str
    factor: float
    part: float
    median: float


FOUND = (
    Found(50, 0.001, 0.01, 290, 580),
    Found(500, 0.001, 0.01, 35, 65),
    Found(5, 0.001, 0.02, 772, NEVER),
    Found(50, 0.001, 0.02, 90, 190),
    Found(500, 0.001, 0.02, 15, 25),
    Found(5, 0.001, 0.05, 235, 520),
    Found(50, 0.001, 0.05, 30, 55),
    Found(500, 0.001, 0.05, 15, 15),
    Found(5, 0.001, 1.0, 15, 25),
    Found(50, 0.001, 1.0, 15, 15),
    Found(500, 0.001, 1.0, 15, 15),
    Found(50, 0.005, 0.02, 260, 505),
    Found(500, 0.005, 0.02, 35, 55),
    Found(5, 0.005, 0.05, 405, 845),
    Found(50, 0.005, 0.05, 45, 90),
    Found(500, 0.005, 0.05, 15, 15),
    Found(5, 0.005, 0.2, 65, 125),
    Found(50, 0.005, 0.2, 15, 20),
    Found(500, 0.005, 0.2, 15, 15),
    Found(5, 0.005, 1.0, 15, 25),
    Found(50, 0.005, 1.0, 15, 15),
    Found(500, 0.005, 1.0, 15, 15),
)

RARE = (Rare(5, 0.001, 0.01, 0.04), Rare(5, 0.005, 0.02, 0.04))

ONE, THREE = (10,), (10, 25, 50)
ACCEPTED = (
    Accepted(50, 0.001, 0.005, ONE, 60, 310, 665),
    Accepted(500, 0.001, 0.005, ONE, 60, 60, 70),
    Accepted(50, 0.001, 0.005, THREE, 30, 360, 660),
    Accepted(500, 0.001, 0.005, THREE, 30, 90, 115),
    Accepted(50, 0.001, 0.01, ONE, 60, 115, 255),
    Accepted(500, 0.001, 0.01, ONE, 60, 60, 60),
    Accepted(50, 0.001, 0.01, THREE, 30, 165, 275),
    Accepted(500, 0.001, 0.01, THREE, 30, 90, 90),
    Accepted(50, 0.005, 0.01, ONE, 60, 255, 550),
    Accepted(500, 0.005, 0.01, ONE, 60, 60, 60),
    Accepted(50, 0.005, 0.01, THREE, 30, 310, 560),
    Accepted(500, 0.005, 0.01, THREE, 30, 90, 105),
)

SLOWER = (
    Slower("every request x 1.3", 1.3, 0.0, 140),
    Slower("every request x 1.5", 1.5, 0.0, 50),
    Slower("every request x 2", 2.0, 0.0, 20),
    Slower("5% of requests + 1 s", 1.0, 0.05, 55),
)
