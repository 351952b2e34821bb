"""What an API server says of rendered manifests before any is applied: fields that it does not know, values that it
does not take, and what cannot be changed any more. Helm's own dry run sends it none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from clients import kube
from clients.kube import Kube
from clients.kube_errors import Missing
from clients.together import together
from release.errors import Refused, TidegateError, Unavailable

# As Helm applies them, so that what is there already is compared with what Helm wrote.
_APPLY = {"fieldManager": "helm", "force": "true", "fieldValidation": "Strict", "dryRun": "All"}
# It is answered with a 500, but no other try would help.
_UNKNOWN = re.compile(r"failed to create typed patch object .*")
# A webhook that may not be asked in a dry run says nothing about the object.
_WEBHOOK = "does not support dry run"


async def require_accepted(kubeconfig: Path, context: str, namespace: str, manifests: str) -> None:
    """Raises Refused(field=chart) with the object and the API server's words. Nothing is changed.

    `manifests` is YAML. Secrets, whose data Helm does not show here, and hooks are left out.
    """
    objects = [one for one in yaml.safe_load_all(manifests) if one and one["kind"] != "Secret" and not _is_hook(one)]
    async with Kube(kubeconfig, context) as api:
        versions = sorted({str(one["apiVersion"]) for one in objects})
        found = await together(*(_kinds(api, version) for version in versions))
        kinds = dict(zip(versions, found, strict=True))
        await together(*(_try(api, namespace, kinds, one) for one in objects))


def _is_hook(one: Mapping[str, Any]) -> bool:
    return "helm.sh/hook" in (one["metadata"].get("annotations") or {})


async def _kinds(api: Kube, version: str) -> dict[str, tuple[str, bool]]:
    """Kind -> its plural, and whether it is in a namespace."""
    try:
        answer = await api.send("GET", kube.root(version))
    except Missing:
        return {}
    listed = [one for one in answer.body.get("resources") or () if "/" not in one["name"]]
    return {one["kind"]: (one["name"], bool(one["namespaced"])) for one in listed}


async def _try(
    api: Kube, namespace: str, kinds: Mapping[str, Mapping[str, tuple[str, bool]]], one: Mapping[str, Any]
) -> None:
    version, kind, meta = str(one["apiVersion"]), str(one["kind"]), one["metadata"]
    if kind not in kinds[version]:
        return  # Helm's dry run has said so, or it comes with the chart
    plural, namespaced = kinds[version][kind]
    where = f"/namespaces/{meta.get('namespace') or namespace}" if namespaced else ""
    path = f"{kube.root(version)}{where}/{plural}/{meta['name']}"
    try:
        await api.send("PATCH", path, query=_APPLY, body=one, content_type=kube.APPLY)
    except TidegateError as error:
        refusal = _refusal(f"{kind} {meta['name']}", error)
        if refusal is not None:
            raise refusal from error


def _refusal(what: str, error: TidegateError) -> TidegateError | None:
    if _WEBHOOK in error.what:
        return None
    unknown = _UNKNOWN.search(error.what)
    if error.field in ("role", "kubeconfig") or (isinstance(error, Unavailable) and unknown is None):
        return error
    said = unknown[0] if unknown else error.what
    return Refused(
        f"The API server would refuse the chart's {what}: {said}",
        field="chart",
        next_step="Mend the chart or its values; `helm template` shows what it makes.",
    )
