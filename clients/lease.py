"""A Lease object as the lock's plain data, and back. No I/O."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from release import names
from release.locking import Ended, Held, Holder
from release.steering import ORDERS, Order

_PREFIX = "tidegate.dev/"
_WHO, _WHAT, _NOTE, _THREADS = (_PREFIX + word for word in ("who", "what", "note", "threads"))
_HISTORY, _ORDERS, _PROCESS = (_PREFIX + word for word in ("history", "orders", "process"))


@dataclass(frozen=True, slots=True)
class State:
    """The lock as it was read: `version` is the Lease's resourceVersion, None where there is no Lease yet;
    `now` the API server's time, in seconds since the epoch."""

    held: Held | None
    history: tuple[Ended, ...]
    version: str | None
    now: float


def read(body: Mapping[str, Any], now: float) -> State:
    """A Lease as the API server shows it. One that somebody else wrote is held by its identity, without a name."""
    metadata, spec = body["metadata"], body.get("spec") or {}
    notes = metadata.get("annotations") or {}
    held = None
    if spec.get("holderIdentity"):
        since = _seconds(spec.get("acquireTime"), now)
        holder = Holder(
            spec["holderIdentity"],
            notes.get(_WHO, "unknown"),
            notes.get(_WHAT, "unknown"),
            notes.get(_NOTE, ""),
            notes.get(_THREADS, ""),
            notes.get(_PROCESS, ""),
        )
        renewed, lease = _seconds(spec.get("renewTime"), since), float(spec.get("leaseDurationSeconds", 0))
        held = Held(holder, since, renewed, lease, _orders(notes.get(_ORDERS, "")))
    return State(held, _history(notes.get(_HISTORY, "")), metadata["resourceVersion"], now)


def manifest(name: str, state: State) -> dict[str, Any]:
    """The whole Lease for a POST (no version) or a PUT, which the API server refuses unless the version is current."""
    metadata: dict[str, Any] = {
        "name": name,
        "labels": {"app.kubernetes.io/managed-by": names.FIELD_MANAGER},
        "annotations": _annotations(state),
    }
    if state.version is not None:
        metadata["resourceVersion"] = state.version
    spec: dict[str, Any] = {}
    if state.held is not None:
        spec = {
            "holderIdentity": state.held.holder.run,
            "leaseDurationSeconds": max(1, math.ceil(state.held.lease)),
            "acquireTime": _micro_time(state.held.since),
            "renewTime": _micro_time(state.held.renewed),
        }
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def _annotations(state: State) -> dict[str, str]:
    notes = {_HISTORY: json.dumps([_ended(ended) for ended in state.history])} if state.history else {}
    if state.held is not None:
        holder = state.held.holder
        notes |= {_WHO: holder.who, _WHAT: holder.what, _NOTE: holder.note}
        notes |= {_THREADS: holder.threads} if holder.threads else {}
        notes |= {_PROCESS: holder.process} if holder.process else {}
        if state.held.orders:
            notes |= {_ORDERS: json.dumps([asdict(order) for order in state.held.orders])}
    return notes


def _ended(ended: Ended) -> dict[str, Any]:
    """Without the process, which is nobody's any more: an older Tidegate reads this, too."""
    data = asdict(ended)
    del data["holder"]["process"]
    return data


def _history(text: str) -> tuple[Ended, ...]:
    """An annotation that a person has spoilt is left behind: the audit must not stand in the way of the lock."""
    try:
        return tuple(
            Ended(one["how"], Holder(**one["holder"]), one["who"], one["reason"], float(one["at"]))
            for one in json.loads(text or "[]")
        )
    except (KeyError, TypeError, ValueError):
        return ()


def _orders(text: str) -> tuple[Order, ...]:
    """Spoilt orders are none: a release goes on rather than do what nobody ordered."""
    try:
        found = [(one["what"], one["who"], one["reason"], float(one["at"])) for one in json.loads(text or "[]")]
        return tuple(Order(what, who, reason, at) for what, who, reason, at in found if what in ORDERS)
    except (KeyError, TypeError, ValueError):
        return ()


def _seconds(micro_time: str | None, otherwise: float) -> float:
    return datetime.fromisoformat(micro_time).timestamp() if micro_time else otherwise


def _micro_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
