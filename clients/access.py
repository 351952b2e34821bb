"""What an account may do in a region, and what its API server offers; asked without changing anything."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from clients.kube import Kube
from clients.together import together


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
        answer = await self._kube.send("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
        return bool((answer.body.get("status") or {}).get("allowed"))

    async def lacks(self, rights: tuple[tuple[str, str, str], ...]) -> tuple[tuple[str, str, str], ...]:
        """Those of the (verb, group, resource) that the account does not have."""
        allowed = await together(*(self.may(*right) for right in rights))
        return tuple(right for right, has in zip(rights, allowed, strict=True) if not has)

    async def offers(self, group_version: str, plural: str) -> bool:
        """Whether the API server has this kind of object, such as ("gateway.networking.k8s.io/v1", "httproutes")."""
        answer = await self._kube.find(f"/apis/{group_version}")
        found = answer.body.get("resources") if answer is not None else None
        return any(one.get("name") == plural for one in found or ())
