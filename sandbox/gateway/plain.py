"""A region without routes: its public Service and its slots' Services, as load balancers by kube-proxy have them. Pure.

They set no header, know no maintenance mode and count nothing. What users get is counted all the same, by the slot that
is selected and under the names that a route's counters would have.
"""

from __future__ import annotations

from dataclasses import replace

from release import names
from release.model import SLOTS, Slot
from sandbox.gateway import backends, labels
from sandbox.gateway.backends import Found, Object
from sandbox.gateway.model import Match, Pool, Rule

_PREVIEW = "preview-"


def rules(namespace: str, gateway: str, entry: str, found: Found) -> tuple[Rule, ...]:
    """The one rule of a listener to which no route is attached; none where Tidegate made no public Service."""
    public = next((one for (where, _), one in found.services.items() if where == namespace and _public(one)), None)
    if public is None:
        return ()
    app = str(public["metadata"]["name"])
    slots = [slot for slot in SLOTS if entry == f"{_PREVIEW}{slot}"]
    if slots:
        ref = {"name": names.slot_release(app, slots[0]), "port": _port(public)}
        return (
            _rule(
                namespace, names.preview_route(app, slots[0]), gateway, entry, (backends.pool(namespace, ref, found),)
            ),
        )
    return (_rule(namespace, app, gateway, entry, _selected(namespace, app, public, found)),)


def _public(service: Object) -> bool:
    own = service["metadata"].get("labels") or {}
    return own.get(names.MANAGED_LABEL) == names.FIELD_MANAGER and names.SLOT_LABEL not in own


def _port(public: Object) -> int:
    return int(public["spec"]["ports"][0]["port"])


def _selected(namespace: str, app: str, public: Object, found: Found) -> tuple[Pool, ...]:
    """Both slots. The selected one has all users, who reach the pods that the public Service's EndpointSlices name."""
    chosen = (public["spec"].get("selector") or {}).get(names.SLOT_LABEL)
    reached = backends.endpoints(namespace, app, public["spec"]["ports"][0], found)

    def pool(slot: Slot) -> Pool:
        ref = {"name": names.slot_release(app, slot), "port": _port(public), "weight": 100 if slot == chosen else 0}
        own = backends.pool(namespace, ref, found)
        return replace(own, endpoints=reached, problem=None) if slot == chosen else own

    return tuple(map(pool, SLOTS))


def _rule(namespace: str, name: str, gateway: str, entry: str, pools: tuple[Pool, ...]) -> Rule:
    router = labels.router(namespace, name, gateway, entry, 0, labels.rule_text((), Match()))
    weights = tuple(pool.weight for pool in pools)
    return Rule(name, router, labels.balancer(router), (), Match(), pools, weights)
