"""What a condemned version's pods said, to be kept before the way back removes them: states and events, no logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from release.model import Pod, SlotState

# As with `kubectl describe`, one is like the next.
_MOST = 3


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event about a pod: `kind` is Normal or Warning, `at` ISO 8601 UTC, empty where it is not told."""

    pod: str
    kind: str
    reason: str
    message: str
    count: int = 1
    at: str = ""


def failing(here: SlotState, digest: str) -> tuple[Pod, ...]:
    """A few of the slot's pods that were to run `digest` and are not Ready."""
    return tuple(pod for pod in here.pods if pod.digest == digest and not pod.ready and not pod.terminating)[:_MOST]


def report(title: str, why: str, pods: Sequence[Pod], events: Sequence[Event]) -> str:
    """Markdown: each pod's state, and its events in their order."""
    lines = [f"# {title}", "", why]
    for pod in pods:
        lines += ["", f"## {pod.name}", "", _state(pod)]
        told = [_line(one) for one in sorted(events, key=lambda one: one.at) if one.pod == pod.name]
        lines += ["", "```", *told, "```"] if told else []
    return "\n".join(lines)


def _state(pod: Pod) -> str:
    state = f"waiting: {pod.waiting}" if pod.waiting else "running, not Ready" if pod.running else "not running"
    code = "" if pod.exit_code is None else f", last exit code {pod.exit_code}"
    return f"{state}; restarts {pod.restarts}{code}"


def _line(one: Event) -> str:
    times = f" (x{one.count})" if one.count > 1 else ""
    message = " ".join(one.message.replace("```", "'''").split())
    return f"{one.at}  {one.kind}  {one.reason}{times}  {message}"
