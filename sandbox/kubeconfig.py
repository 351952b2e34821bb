"""Kubeconfig files: one context a region, or one for a child of the sandbox."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.controlplane.keys import write_secret


@dataclass(frozen=True, slots=True)
class Access:
    """One context: `server` is https://HOST:PORT, `ca` PEM bytes, `token` the user's bearer token."""

    context: str
    server: str
    ca: bytes
    token: str
    namespace: str = "default"


def write(path: Path, accesses: Sequence[Access]) -> None:
    """Write the contexts as one kubeconfig, mode 0600; the first context is the current one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_secret(path, yaml.safe_dump(document(accesses), sort_keys=False).encode())


def document(accesses: Sequence[Access]) -> dict[str, Any]:
    """The kubeconfig as plain data; cluster, user and context of an access share its name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": accesses[0].context,
        "clusters": [{"name": a.context, "cluster": _cluster(a)} for a in accesses],
        "users": [{"name": a.context, "user": {"token": a.token}} for a in accesses],
        "contexts": [{"name": a.context, "context": _context(a)} for a in accesses],
    }


def _cluster(access: Access) -> dict[str, str]:
    authority = base64.b64encode(access.ca).decode()
    return {"server": access.server, "certificate-authority-data": authority}


def _context(access: Access) -> dict[str, str]:
    return {"cluster": access.context, "user": access.context, "namespace": access.namespace}
