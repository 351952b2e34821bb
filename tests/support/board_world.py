"""Things as they may be seen, for the board's tests: a shop in production, staging and development."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from release.board_seen import (
    Course,
    Measured,
    Pace,
    Past,
    Seen,
    SeenApproval,
    SeenLock,
    SeenPart,
    SeenRegion,
    SeenRun,
    SeenVote,
)
from release.dora import Measures
from release.finished import Finished
from release.locking import Held, Holder
from release.model import Artifact, HelmRelease, Pod, Record, RegionState, Retirement, Route, Slot, SlotState, Workload
from release.shifts import Shift
from release.steering import Order
from release.verdict import Entry, Policy, chart
from release.verdict.counts import Block, Counts
from release.verdict.series import points

NOW = 1_764_000_000.0
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
RUN = "3f2a9c1e-7d45-4a51-9c58-0b8f4a6a1d11"
WEIGHTS = (10, 25, 50, 100)
BEFORE = "11111111-7d45-4a51-9c58-0b8f4a6a1d11"


def artifact(version: str) -> Artifact:
    return Artifact(version, f"sha256:{version.replace('.', '') * 32:.64}", f"{version.replace('.', ''):a<40}")


def slot(name: Slot, version: str, ready: int = 10, pods: int = 10) -> SlotState:
    made = artifact(version)
    return SlotState(
        name,
        HelmRelease(f"shop-{name}", 3, "deployed", version, made.digest[7:47], made.commit),
        Workload(made.digest, pods, pods, ready, pods),
        tuple(Pod(f"{name}-{one}", made.digest, ready=one < ready, running=True) for one in range(pods)),
    )


def region(
    blue: SlotState | None, green: SlotState | None, weights: tuple[int, int], live: tuple[str, Slot] | None, *,
    previous: str = "", name: str = "us-east-1", kept: str = "",
) -> RegionState:  # fmt: skip
    record = Record(artifact(live[0]), live[1], 3, "c", "2025-11-24T15:00:00Z", BEFORE) if live else None
    old = Record(artifact(previous), "green", 2, "c", "2025-11-23T15:00:00Z", BEFORE) if previous else None
    retire = Retirement("green", 2, kept) if kept else None
    route = Route(*weights, live=record, previous=old, retire=retire) if sum(weights) else None
    return RegionState(name, blue or SlotState("blue"), green or SlotState("green"), route)


def steady(version: str = "1.4.0", ready: int = 10) -> RegionState:
    """One version, all users."""
    return region(slot("blue", version, ready), None, (100, 0), (version, "blue"), previous="1.3.0")


def canary(weight: int, version: str = "1.5.0") -> RegionState:
    """A canary with so many percent of the users beside 1.4.0."""
    return region(slot("blue", "1.4.0"), slot("green", version, 3, 3), (100 - weight, weight), ("1.4.0", "blue"))


def seen(states: Mapping[str, RegionState | None] | None = None, **changes: object) -> Seen:
    """All is well, but for `states` (by region of production) and `changes` of Seen."""
    places = [("production", name) for name in REGIONS] + [("staging", "staging"), ("development", "development")]
    regions = tuple(
        SeenRegion(place, name, f"https://{name}.shop.test", (states or {}).get(name, steady()), NOW)
        for place, name in places
    )
    locks = tuple(SeenLock(place, None, NOW) for place in ("production", "staging", "development"))
    past = (
        Past(BEFORE, "production", "production", "1.4.0", "canary", "released", "ada", NOW - 86_400, 700.0),
        Past("2", "production", "production", "1.3.9", "rolling", "recovered", "bob", NOW - 90_000, 300.0, 42.0,
             "us-east-1: CrashLoopBackOff: exit code 1, 4 restarts"),
    )  # fmt: skip
    base = Seen(NOW, "sandbox", "shop", regions, locks, past=past, count=2, actors={BEFORE: "ada"})
    return replace(base, **changes)  # type: ignore[arg-type]


def held(note: str = "", orders: Sequence[Order] = (), renewed: float = NOW, what: str = "production v1.5.0") -> Held:
    return Held(Holder(RUN, "ada", what, note), NOW - 190, renewed, 60.0, tuple(orders))


def under_way(note: str = "", orders: Sequence[Order] = (), weight: int = 25, **changes: object) -> Seen:
    """A canary of 1.5.0 in the first region, at 10 % since 100 s and at 25 % since 40 s; the others wait."""
    whole = seen({"us-east-1": canary(weight)}, **changes)
    locks = (SeenLock("production", held(note, orders), NOW), *whole.locks[1:])
    times = zip(WEIGHTS[: WEIGHTS.index(weight) + 1], (NOW - 100, NOW - 40, NOW - 12, NOW - 2), strict=False)
    shifts = tuple(Shift("us-east-1", "green", each, at) for each, at in times)
    parts = (SeenPart("us-east-1", "running", NOW - 130, line="weight 25: judged", shifts=shifts),)
    page = f"http://prefect.test/runs/flow-run/{RUN}"
    waves = (REGIONS[:1], REGIONS[1:])
    run = SeenRun(RUN, "canary", waves, NOW - 200, parts, page, "production", WEIGHTS, least=30.0)
    course = Course(RUN, "us-east-1", weight, 0.4, 4.6, 1.2, 3.0, "canary 0.3 % errors, stable 0.2 %: goes on looking")
    usual = {("us-east-1", 10): 62.0, ("us-east-1", 25): 71.0, ("us-east-1", 100): 9.0}
    pace = Pace(dict.fromkeys(REGIONS, 240.0), 80.0, 12.0, 55.0, 45.0, usual)
    return replace(whole, locks=locks, runs={RUN: run}, paces={RUN: pace}, courses=(course,))


def crowded() -> Seen:
    """A canary under way among 64 regions, after 1,000 releases: the board lists the newest 200 of them."""
    base = under_way()
    many = tuple(replace(base.regions[0], region=f"r{one:02}") for one in range(64))
    past = tuple(
        Past(str(one), "production", "production", f"2.0.{one}", "canary", "released", "ada", NOW - one)
        for one in range(200)
    )
    return replace(base, regions=(*many, *base.regions[1:]), past=past, count=1000)


def finished(number: int) -> Finished:
    """One of many releases that ended, a minute apart, a fourth of them taken back."""
    at, bad = datetime.fromtimestamp(NOW + number * 60, UTC), number % 4 == 0
    return Finished(
        run=f"run-{number}", attempt=1, pipeline="production", environment="production", strategy="canary",
        outcome="recovered" if bad else "released", asked=at, ended=at, version=f"2.0.{number}", actor="ada",
        seconds=60.0 + number, reason="us-east-1: 9 % of requests fail" if bad else "",
    )  # fmt: skip


def approval(missing: int = 1, run: str = "77aa", **changes: object) -> SeenApproval:
    one = SeenApproval(
        run, "production v1.6.0", "production", "ada", True, NOW - 600, 2, missing, "canary", artifact("1.6.0").digest,
        REGIONS, tuple(f"{name} v1.4.0" for name in REGIONS), (SeenVote("eve", "approve", NOW - 300, "read the diff"),),
        reason="2 people must approve: eve approved",
    )  # fmt: skip
    return replace(one, **changes)  # type: ignore[arg-type]


def measured(deployments: int = 12, failed: int = 2) -> Measured:
    def one(days: float, count: int, bad: int) -> Measures:
        if not count:
            return Measures(days, 0, 0, 0, 0.0, None, None, None, None)
        return Measures(days, count, bad, 1, count / days, 5400.0, bad / count, 95.0 if bad else None, 1 / count)

    weeks = tuple(one(7.0, count, count // 4) for count in (0, 2, 3, 5, 4, 1, 0, 6, 8, 4, 3, 5))
    return Measured(one(30.0, deployments, failed), one(30.0, 8, 0), weeks if deployments else ())


def course(seconds: int) -> tuple[Policy, tuple[Entry, ...]]:
    """A canary of v1.5.0 that turns bad at 25 %, as its run stores it: undecided for 69 s, bad after 76 s."""
    entries = []
    for second in range(seconds):
        bad = 1 if second > 60 and second % 2 else 0
        block = Block(1.0, Counts(20, bad), Counts(180, int(second % 9 == 0)), Counts(200, bad), 0.0)
        entries.append(Entry(float(second), 10 if second < 60 else 25, block))
    return Policy(latency=None), tuple(entries)


def drawn(seconds: int, *, narrow: bool = False) -> str:
    """That course as its picture."""
    frame = chart.NARROW if narrow else chart.WIDE
    return chart.draw(*course(seconds), "v1.5.0 beside v1.4.0 in us-east-1", frame=frame)


def told(seconds: int, stamp: str = "") -> Course:
    """That course as the board says it in words: the same numbers."""
    last = points(*course(seconds))[-1]
    found = last.verdict
    evidence = (found.against, found.needed, found.favour, found.wanted)
    return Course(RUN, "us-east-1", last.weight, *evidence, found.sentence, stamp)
