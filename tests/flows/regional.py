"""Workers beside their clusters: a worker process a region, each with that region's credentials and no others."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml
from desk import Desk
from look import Look
from processes import begin_group, end_groups, prefect, run_prefect
from waiting import until

from config import load
from flows.far import POOL
from release.relay import queue
from sandbox.api import Api, Manifest

REGIONAL = {"dispatch": "regional", "lock": {"lease_s": 20}, "window_s": 1}
CENTRAL = "tidegate-central"


class Workers:
    """`central` is the TIDEGATE_HOME of whoever runs the release; each region's worker has a home of its own."""

    def __init__(self, desk: Desk, look: Look) -> None:
        self._desk, self.api = desk, str(load.settings().prefect.api)
        whole = yaml.safe_load(load.settings().kubeconfig.read_text())
        self.central = desk.variant(production=REGIONAL, tidegate={"kubeconfig": str(desk.folder() / "kubeconfig")})
        self._write(self.central, _with_tokens(whole, asyncio.run(_central_tokens(look))))
        self.homes, self.processes = {}, dict[str, subprocess.Popen[bytes]]()
        for name, region in load.environment("production").regions.items():
            home = desk.variant(production=REGIONAL, tidegate={"kubeconfig": str(desk.folder() / "kubeconfig")})
            self._write(home, _only(whole, region.context))
            self.homes[name] = home

    def start(self) -> None:
        """The pool, the deployment and all workers; returns when they are there."""
        env = self._environment(self.central)
        run_prefect("work-pool", "create", POOL, "--type", "process", "--overwrite", env=env)
        run_prefect("--no-prompt", "deploy", "--all", "--prefect-file", "deployments/many/regional.yaml", env=env)
        for region in self.homes:
            self.begin(region)

    def begin(self, region: str) -> None:
        home = self.homes[region]
        words = ("worker", "start", "--pool", POOL, "--work-queue", queue("production", region))
        command = prefect(*words, "--type", "process", "--name", region)
        self.processes[region] = begin_group(command, home / "worker.log", self._environment(home))
        until(lambda: "started!" in self.log(region), 90)

    def log(self, region: str) -> str:
        return (self.homes[region] / "worker.log").read_text(errors="replace")

    def end(self) -> None:
        end_groups(self.processes.values())

    def runs(self, since: str) -> list[dict[str, Any]]:
        """The runs in the regions' workers that were made since then, oldest first."""
        wanted = {"deployments": {"name": {"any_": ["regional"]}}, "sort": "START_TIME_ASC"}
        found = httpx.post(f"{self.api}/flow_runs/filter", json=wanted, timeout=20, trust_env=False)
        return [one for one in found.raise_for_status().json() if one["created"] > since]

    def _environment(self, home: Path) -> dict[str, str]:
        own = {
            "TIDEGATE_HOME": str(home),
            "TIDEGATE_GUARD": "off",
            "PREFECT_API_URL": self.api,
            "PREFECT_HOME": str(home / "prefect"),
            "PREFECT_WORKER_QUERY_SECONDS": "3",
        }
        return {**os.environ, **own}

    def _write(self, home: Path, kubeconfig: dict[str, Any]) -> None:
        settings = yaml.safe_load((home / "overlay" / "tidegate.yaml").read_text())
        path = Path(settings["kubeconfig"])
        path.write_text(yaml.safe_dump(kubeconfig))
        path.chmod(0o600)


@contextlib.contextmanager
def workers(desk: Desk, look: Look) -> Iterator[Workers]:
    """One beside each cluster of production, and gone afterwards."""
    found = Workers(desk, look)
    try:
        found.start()
        yield found
    finally:
        found.end()


def _only(whole: dict[str, Any], context: str) -> dict[str, Any]:
    """The kubeconfig with one region's access alone."""
    kept = {key: [one for one in whole[key] if one["name"] == context] for key in ("clusters", "users", "contexts")}
    return {**whole, **kept, "current-context": context}


def _with_tokens(whole: dict[str, Any], tokens: dict[str, str]) -> dict[str, Any]:
    users = [
        {**one, "user": {"token": tokens[one["name"]]}} if one["name"] in tokens else one for one in whole["users"]
    ]
    return {**whole, "users": users}


async def _central_tokens(look: Look) -> dict[str, str]:
    """Production's contexts -> a token of an account that has the rights of `central.yaml` there."""
    role = yaml.safe_load((load.CHECKOUT / "infrastructure/rbac/central.yaml").read_text())
    tokens = {}
    async with Api(look.admin()) as api:
        for region in load.environment("production").regions.values():
            await api.apply_all(_account(role, region.namespace))
            path = f"/api/v1/namespaces/{region.namespace}/serviceaccounts/{CENTRAL}/token"
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
            tokens[region.context] = str((await api.create(path, body))["status"]["token"])
    return tokens


def _account(role: Manifest, namespace: str) -> list[Manifest]:
    group, named = "rbac.authorization.k8s.io", {"name": CENTRAL, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named},
        {**role, "metadata": {**role["metadata"], "namespace": namespace}},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": named,
            "subjects": [{"kind": "ServiceAccount", **named}],
            "roleRef": {"apiGroup": group, "kind": "Role", "name": CENTRAL},
        },
    ]
