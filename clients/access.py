"""What an account may do in a region, and what its API server offers; asked without changing anything."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from clients.kube import Kube
from clients.together import together
from release.errors import Refused

_REVIEWS = "/apis/authorization.k8s.io/v1"


class Access:
    """`async with Access(kubeconfig, context, namespace)`; errors as in `clients.cluster.Cluster`."""

    def __init__(self, kubeconfig: Path, context: str, namespace: str, *, timeout: float = 10.0) -> None:
        self._kube = Kube(kubeconfig, context, timeout=timeout)
        self._namespace = namespace

    async def __aenter__(self) -> Self:
        await self._kube.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._kube.__aexit__(kind, error, trace)

    async def version(self) -> tuple[str, float]:
        """The API server's version, such as v1.37.2, and how many seconds its clock is ahead of ours (about one
        second exact)."""
        asked = time.time()
        answer = await self._kube.send("GET", "/version")
        # Its time is cut to whole seconds, and was taken between the question and the answer.
        return str(answer.body["gitVersion"]), answer.now + 0.5 - (asked + time.time()) / 2

    async def may(self, verb: str, group: str, resource: str) -> bool:
        """Whether the account has this right in the namespace, by a SelfSubjectAccessReview."""
        wanted = {"namespace": self._namespace, "verb": verb, "group": group, "resource": resource}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        answer = await self._kube.send("POST", f"{_REVIEWS}/selfsubjectaccessreviews", body=body)
        return bool((answer.body.get("status") or {}).get("allowed"))

    async def lacks(self, rights: tuple[tuple[str, str, str], ...]) -> tuple[tuple[str, str, str], ...]:
        """Those of the (verb, group, resource) that the account does not have."""
        # One request tells of nearly all; an authorizer that cannot list what it allows is asked about each.
        rules = await self._rules()
        open_ones = [right for right in rights if not _granted(rules, *right)]
        allowed = await together(*(self.may(*right) for right in open_ones))
        return tuple(right for right, has in zip(open_ones, allowed, strict=True) if not has)

    async def _rules(self) -> list[Mapping[str, Any]]:
        """What the account is known to be allowed in the namespace, by a SelfSubjectRulesReview."""
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": self._namespace},
        }
        try:
            answer = await self._kube.send("POST", f"{_REVIEWS}/selfsubjectrulesreviews", body=body)
        except Refused:
            return []
        return list((answer.body.get("status") or {}).get("resourceRules") or ())

    async def offers(self, group_version: str, plural: str) -> bool:
        """Whether the API server has this kind of object, such as ("gateway.networking.k8s.io/v1", "httproutes")."""
        answer = await self._kube.find(f"/apis/{group_version}")
        found = answer.body.get("resources") if answer is not None else None
        return any(one.get("name") == plural for one in found or ())

    async def has(self, path: str) -> bool | None:
        """Whether an object is there; None where the account may not look."""
        try:
            return await self._kube.find(path) is not None
        except Refused:
            return None


def _granted(rules: Sequence[Mapping[str, Any]], verb: str, group: str, resource: str) -> bool:
    wanted = {"verbs": verb, "apiGroups": group, "resources": resource}
    return any(
        not rule.get("resourceNames") and all({one, "*"} & set(rule.get(key) or ()) for key, one in wanted.items())
        for rule in rules
    )
