"""What a person who watches is shown, from what Prefect and a cluster say."""

from __future__ import annotations

from collections import deque

from rich.console import Console

from clients.prefect_runs import Line, Run
from deployments import watching
from deployments.cli import watch
from deployments.watching import RegionNow, View
from release.model import Artifact, Pod, RegionState, Route, SlotState

NEW, OLD = Artifact("1.5.0", "sha256:2", "b" * 40), Artifact("1.4.0", "sha256:1", "a" * 40)


def pods(count: int, artifact: Artifact, *, ready: bool = True) -> tuple[Pod, ...]:
    return tuple(Pod(f"p{number}", artifact.digest, ready=ready) for number in range(count))


def run(**changed: object) -> Run:
    facts = {"id": "3f2a", "name": "v1.5.0 by ada", "flow": "production", "state": "Running", "type": "RUNNING"}
    return Run(**{**facts, "message": "", "began": "", "ended": "", "seconds": 0.0, **changed})  # type: ignore[arg-type]


def test_users_are_counted_by_weights_beside_each_other() -> None:
    state = RegionState(
        "a",
        blue=SlotState("blue", pods=pods(10, OLD)),
        green=SlotState("green", pods=(*pods(2, NEW), *pods(1, NEW, ready=False))),
        route=Route(75, 25),
    )
    seen = watching._seen(RegionNow("a", 1), state, NEW.digest)
    assert (seen.users, seen.ready, seen.pods) == (25, 2, 3)


def test_users_are_counted_by_pods_in_place() -> None:
    mixed = (*pods(3, NEW), *pods(7, OLD))
    state = RegionState("a", blue=SlotState("blue", pods=mixed), green=SlotState("green"), route=Route(100, 0))
    seen = watching._seen(RegionNow("a", 1), state, NEW.digest)
    assert (seen.users, seen.ready, seen.pods) == (30, 3, 3)
    nobody = RegionState("a", blue=SlotState("blue"), green=SlotState("green"))
    assert watching._seen(RegionNow("a", 1), nobody, NEW.digest).users == 0


def test_the_exit_code_is_what_the_run_told() -> None:
    over = run(type="FAILED", state="Recovered")
    assert watching._exit_code(run(), {"outcome": {"word": "released"}}) is None
    assert watching._exit_code(over, {"outcome": {"word": "recovered"}}) == 3
    assert watching._exit_code(over, {}) == 1
    assert watching._exit_code(run(type="COMPLETED"), {"outcome": "spoilt"}) == 0


def test_the_picture_has_a_bar_for_each_region() -> None:
    regions = (RegionNow("us-east-1", 1, "running", 25, 3, 3, "CONTINUE"), RegionNow("eu-west-1", 2))
    line = Line("2026-11-23T08:15:59Z", 20, "blue now has 25 % of the users")
    console = Console(width=140)
    with console.capture() as captured:
        console.print(watch._picture(View(run(), regions), deque([line])))
    text = captured.get()
    for part in ("production v1.5.0 by ada: running", "us-east-1", "25 %", "3/3", "CONTINUE", "08:15:59  blue now has"):
        assert part in text
    assert text.count("━") == 5  # a quarter of the bar
