"""What is kept of a condemned version's pods."""

from __future__ import annotations

from dataclasses import replace

from simulated import artifact

from release.evidence import Event, failing, report
from release.model import Pod, SlotState

DIGEST = artifact(5).digest
POD = Pod("shop-blue-1", DIGEST, waiting="CrashLoopBackOff", restarts=3, exit_code=1)


def test_only_a_few_of_the_versions_own_failing_pods_are_kept() -> None:
    others = (replace(POD, ready=True), replace(POD, terminating=True), replace(POD, digest=artifact(4).digest))
    same = tuple(replace(POD, name=f"shop-blue-{number}") for number in range(5))
    found = failing(SlotState("blue", pods=(*others, *same)), DIGEST)
    assert [pod.name for pod in found] == ["shop-blue-0", "shop-blue-1", "shop-blue-2"]


def test_the_report_has_each_pods_state_and_its_events_in_their_order() -> None:
    events = [
        Event("shop-blue-1", "Warning", "BackOff", "Back-off\nrestarting ``` it", 4, "2026-01-05T09:00:09Z"),
        Event("shop-blue-1", "Normal", "Pulled", "Successfully pulled", at="2026-01-05T09:00:01Z"),
        Event("shop-blue-2", "Normal", "Pulled", "of another pod"),
    ]
    text = report("us-east-1: v1.5.0", "CrashLoopBackOff: it ends.", [POD], events)
    assert text.splitlines() == [
        "# us-east-1: v1.5.0",
        "",
        "CrashLoopBackOff: it ends.",
        "",
        "## shop-blue-1",
        "",
        "waiting: CrashLoopBackOff; restarts 3, last exit code 1",
        "",
        "```",
        "2026-01-05T09:00:01Z  Normal  Pulled  Successfully pulled",
        "2026-01-05T09:00:09Z  Warning  BackOff (x4)  Back-off restarting ''' it",
        "```",
    ]
