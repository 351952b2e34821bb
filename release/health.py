"""Is a slot's new version up, on its way, or bad, and why: read from the pods, not from a time-out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from release.environment import Rolling
from release.model import Pod, SlotState

_IMAGE = {"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
# The Deployment's pods cannot be made: a quota, or admission.
FAILED_CREATE = "FailedCreate"
# What only the version's own process can bring about.
_ITS_OWN = {"CrashLoopBackOff", "NotReady"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
# Kubernetes tells both ends of a time in whole seconds: it may have been so much less.
_ROUNDED = 1.0
# A kubelet forgets earlier ends of a container that has lived so long: those were no loop.
_LONG_LIFE = 600.0


@dataclass(frozen=True, slots=True)
class Up:
    """Every wanted pod is Ready with the wanted digest, and no other version's pod is left running."""

    ready: int


@dataclass(frozen=True, slots=True)
class Coming:
    """Not there yet, nothing wrong so far."""

    ready: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Bad:
    """The version cannot come up. `cause` is Kubernetes' own word where it has one."""

    cause: str
    detail: str

    @property
    def condemns(self) -> bool:
        """Whether the version itself is to blame, and not its image's registry, the cluster or its configuration."""
        return self.cause in _ITS_OWN

    def __str__(self) -> str:
        return f"{self.cause}: {self.detail}"


Health = Up | Coming | Bad


def of_slot(slot: SlotState, digest: str, limits: Rolling) -> Health:
    """The slot's health for the version `digest`. Pods that are already ending are not judged."""
    workload = slot.workload
    running = [pod for pod in slot.pods if not pod.terminating]
    ours = [pod for pod in running if pod.digest == digest]
    for pod in ours:
        if (bad := _of_pod(pod, limits)) is not None:
            return bad
    if workload is None:
        return Coming(0, 1)
    if workload.failure is not None:
        return Bad(FAILED_CREATE, _quota(workload.failure))
    ready = sum(pod.ready for pod in ours)
    settled = workload.observed and workload.digest == digest and workload.updated >= workload.replicas
    if settled and ready >= workload.replicas and len(ours) == len(running):
        return Up(ready)
    return Coming(ready, workload.replicas)


def _of_pod(pod: Pod, limits: Rolling) -> Bad | None:
    if pod.waiting in _IMAGE:
        return Bad("ImagePullBackOff", f"{pod.name} cannot pull {pod.image}. {pod.message}".strip())
    if pod.waiting in _CONFIG:
        return Bad(str(pod.waiting), f"{pod.name} cannot start its container. {pod.message}".strip())
    if pod.failed_start and not pod.ready:
        gone = f"{pod.name} was never ready in {pod.failed_start:.0f} s, more than its startup probe gives it"
        return Bad("NotReady", f"{gone}, and was restarted {_times(max(1, pod.restarts))}. {pod.message}".strip())
    if pod.waiting == "CrashLoopBackOff" or _loops(pod, limits):
        code = "an unknown exit code" if pod.exit_code is None else f"exit code {pod.exit_code}"
        return Bad("CrashLoopBackOff", f"{pod.name} ends with {code} and was restarted {_times(pod.restarts)}.")
    if pod.unschedulable is not None and pod.age_seconds - _ROUNDED >= limits.scheduled_within:
        return Bad("Unschedulable", f"{pod.name} finds no node. {pod.unschedulable}")
    if pod.running and not pod.ready and pod.unready_seconds - _ROUNDED >= limits.ready_within:
        return Bad("NotReady", f"{pod.name} runs but refuses readiness for {pod.unready_seconds:.0f} s. {pod.message}")
    return None


def _loops(pod: Pod, limits: Rolling) -> bool:
    """Whether its container was just started again after short lives; what befell a pod long ago is no loop."""
    again = pod.restarts >= 2 and pod.running_seconds < limits.ready_within
    return again and not pod.ready and pod.age_seconds < pod.restarts * _LONG_LIFE


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _quota(message: str) -> str:
    prefix = "exceeds the namespace's quota. " if "exceeded quota" in message else ""
    return f"{prefix}{message.rstrip('.')}."


def ready_digests(pods: Iterable[Pod]) -> frozenset[str]:
    """The digests of all Ready pods, the only proof of what serves."""
    return frozenset(pod.digest or pod.image for pod in pods if pod.ready and not pod.terminating)


def ready_names(pods: Iterable[Pod]) -> frozenset[str]:
    """The names of the pods that serve, or will as soon as a gateway knows them."""
    return frozenset(pod.name for pod in pods if pod.ready and not pod.terminating)
