"""The simulated scheduler's decisions: which node has room for a pod, and what it says when none has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubernetes.utils.quantity import parse_quantity

MAX_PODS = 1000


@dataclass(frozen=True, slots=True)
class Requests:
    """What a pod asks for: `cpu` in millicores, `memory` in bytes."""

    cpu: int = 0
    memory: int = 0


@dataclass(slots=True)
class Machine:
    """One simulated node: its allocatable room and what the pods bound to it asked for, by pod uid."""

    name: str
    address: str
    cpu: str
    memory: str
    pods: dict[str, Requests] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        return {"kubernetes.io/hostname": self.name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}

    def free(self) -> Requests:
        """What is left; negative where the capacity was lowered below what runs."""
        cpu = millicores(self.cpu) - sum(pod.cpu for pod in self.pods.values())
        return Requests(cpu, amount(self.memory) - sum(pod.memory for pod in self.pods.values()))


def machines(count: int, cpu: str, memory: str) -> list[Machine]:
    """`count` equal nodes, `simulated-1` and on."""
    return [Machine(f"simulated-{n}", f"10.0.0.{n}", cpu, memory) for n in range(1, count + 1)]


def millicores(quantity: str) -> int:
    """`500m` -> 500, `2` -> 2000."""
    return int(parse_quantity(quantity) * 1000)


def amount(quantity: str) -> int:
    """`256Mi` -> 268435456."""
    return int(parse_quantity(quantity))


def requests_of(spec: Mapping[str, Any]) -> Requests:
    """The pod's effective requests: its containers' sum, or its greediest init container's where that is more."""
    main = [_requests(container) for container in spec.get("containers", ())]
    first = [_requests(container) for container in spec.get("initContainers", ())]
    return Requests(
        max(sum(r.cpu for r in main), max((r.cpu for r in first), default=0)),
        max(sum(r.memory for r in main), max((r.memory for r in first), default=0)),
    )


def _requests(container: Mapping[str, Any]) -> Requests:
    asked = (container.get("resources") or {}).get("requests") or {}
    return Requests(millicores(str(asked.get("cpu", "0"))), amount(str(asked.get("memory", "0"))))


def place(spec: Mapping[str, Any], nodes: Sequence[Machine]) -> Machine | str:
    """The emptiest node with room for the pod, or the scheduler's message that says why there is none."""
    asked = requests_of(spec)
    wanted = spec.get("nodeSelector") or {}
    fitting: list[Machine] = []
    refusals: Counter[str] = Counter()
    for node in nodes:
        reasons = list(_refusals(node, asked, wanted))
        refusals.update(reasons)
        if not reasons:
            fitting.append(node)
    if fitting:
        return min(fitting, key=lambda node: (len(node.pods), node.name))
    return _message(len(nodes), refusals)


def _refusals(node: Machine, asked: Requests, wanted: Mapping[str, str]) -> Iterable[str]:
    if any(node.labels.get(name) != value for name, value in wanted.items()):
        # The scheduler's filters stop at the first that fails; affinity comes before resources.
        yield "node(s) didn't match Pod's node affinity/selector"
        return
    free = node.free()
    if len(node.pods) >= MAX_PODS:
        yield "Too many pods"
    if asked.cpu > free.cpu:
        yield "Insufficient cpu"
    if asked.memory > free.memory:
        yield "Insufficient memory"


def _message(count: int, refusals: Counter[str]) -> str:
    if not count:
        return "no nodes available to schedule pods"
    reasons = ", ".join(sorted(f"{number} {reason}" for reason, number in refusals.items()))
    unhelpful = refusals["node(s) didn't match Pod's node affinity/selector"]
    parts = [f"{unhelpful} Preemption is not helpful for scheduling"] if unhelpful else []
    if count > unhelpful:
        parts.append(f"{count - unhelpful} No preemption victims found for incoming pod")
    available = f"0/{count} nodes are available"
    return f"{available}: {reasons}. preemption: {available}: {', '.join(parts)}."
