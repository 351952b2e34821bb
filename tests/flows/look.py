"""What a person can look at: clusters, Prefect's page, Slack, GitHub, as they are and not as a run tells them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from config import load
from sandbox import regions, state, witness
from sandbox.admin import Admin
from sandbox.controlplane.keys import ensure_keys

# What a release could change. Leases too: a refusal does not even take the lock.
KINDS = "deployments,services,secrets,serviceaccounts,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies"
MORE = "httproutes.gateway.networking.k8s.io,leases.coordination.k8s.io,pods"
_ENDING = " is ending"
# Region -> (digest of its Ready pods, how many).
Regions = dict[str, tuple[str, int]]


@dataclass
class Look:
    """Needs TIDEGATE_HOME to name the sandbox."""

    home: Path

    @property
    def _state(self) -> state.State:
        found = state.read(self.home)
        assert found is not None
        return found

    def live(self, environment: str = "production") -> dict[str, dict[str, Any]]:
        """Region -> what really serves, by the digests of all Ready pods."""
        return asyncio.run(witness.regions(environment))

    def digests(self, environment: str = "production") -> dict[str, tuple[str, int]]:
        """Region -> (digest of every Ready pod, their count)."""
        return {name: (one["digest"], one["ready"]) for name, one in self.live(environment).items()}

    def every_pod(self, environment: str = "production") -> dict[str, set[str]]:
        """Region -> the digests of all Ready pods of both slots, as the node reports them."""
        found = {}
        for name, region in load.environment(environment).regions.items():
            app = f"app.kubernetes.io/name={load.settings().application.name}"
            pods = json.loads(self.kubectl("get", "pods", "-l", app, "-o", "json", context=region.context))["items"]
            ready = [
                status["imageID"].rpartition("@")[2]
                for pod in pods
                if "deletionTimestamp" not in pod["metadata"]
                for status in pod["status"].get("containerStatuses", ())
                if status["ready"]
            ]
            found[name] = set(ready)
        return found

    def back_on(self, before: Regions, *changed: str, environment: str = "production") -> None:
        """Fails unless every region serves what it did before, by the digest of each Ready pod, and no slot of the
        `changed` ones (all, where none is named) has a pod of anything else; those that end are waited for."""
        found = self.digests(environment)
        assert found == before, f"{found} instead of {before}"
        wanted = {name: {before[name][0]} for name in changed or before}
        ends = time.monotonic() + 60
        while True:
            every = self.every_pod(environment)
            pods = {name: every[name] for name in wanted}
            if pods == wanted or time.monotonic() > ends:
                break
            time.sleep(0.5)
        assert pods == wanted, f"{pods} instead of {wanted}"

    def picture(self) -> dict[str, Any]:
        """What the sandbox's own page shows."""
        answer = httpx.get(f"{self._state.control}/api/state", timeout=10, trust_env=False)
        picture: dict[str, Any] = answer.raise_for_status().json()
        return picture

    def github(self) -> dict[str, Any]:
        """Everything that the simulated GitHub keeps beside the repository."""
        answer = httpx.get(f"{self._state.control}/api/github", timeout=10, trust_env=False)
        return dict(answer.raise_for_status().json())

    def slack(self, channel: str) -> list[str]:
        return [one["text"] for one in self.picture()["slack"] if one["channel"] == channel]

    def deployments(self, commit: str) -> dict[str, list[str]]:
        """GitHub's deployments of a commit: environment -> its statuses, oldest first, of the newest deployment."""
        settings = load.settings()
        assert settings.github.token is not None
        assert settings.github.token.file is not None
        headers = {"Authorization": f"Bearer {settings.github.token.file.read_text()}"}
        base = f"{settings.github.url}/repos/{settings.application.github}/deployments"
        with httpx.Client(headers=headers, timeout=10, trust_env=False) as client:
            found = client.get(base, params={"sha": commit, "per_page": 100}).raise_for_status().json()
            newest: dict[str, int] = {}
            for one in sorted(found, key=lambda one: int(one["id"])):
                newest[one["environment"]] = one["id"]
            told = {name: client.get(f"{base}/{number}/statuses").json() for name, number in newest.items()}
        return {name: [one["state"] for one in reversed(statuses)] for name, statuses in told.items()}

    def run(self, number: str) -> dict[str, Any]:
        """A flow run on the Prefect server, as its page shows it."""
        return dict(self._prefect("GET", f"flow_runs/{number}"))

    def subflows(self, root: str) -> dict[str, dict[str, Any]]:
        """Region -> its flow run, of the runs that a run began."""
        tasks = {"task_runs": {"flow_run_id": {"any_": [root]}}}
        children = [one["id"] for one in self._prefect("POST", "task_runs/filter", tasks)]
        found = self._prefect("POST", "flow_runs/filter", {"flow_runs": {"parent_task_run_id": {"any_": children}}})
        return {one["name"].partition(":")[0]: one for one in found}

    def table(self, key: str, run: str) -> list[dict[str, Any]]:
        """The newest table of a run under that key."""
        wanted = {"artifacts": {"key": {"any_": [key]}, "flow_run_id": {"any_": [run]}}, "sort": "CREATED_DESC"}
        return list(json.loads(self._prefect("POST", "artifacts/filter", wanted)[0]["data"]))

    def markdown(self, key: str, run: str) -> str:
        """The newest text of a run under that key."""
        wanted = {"artifacts": {"key": {"any_": [key]}, "flow_run_id": {"any_": [run]}}, "sort": "CREATED_DESC"}
        return str(self._prefect("POST", "artifacts/filter", wanted)[0]["data"])

    def _prefect(self, method: str, path: str, body: Any = None) -> Any:
        api = load.settings().prefect.api
        return httpx.request(method, f"{api}/{path}", json=body, timeout=10, trust_env=False).raise_for_status().json()

    def kubectl(self, *arguments: str, context: str) -> str:
        """kubectl with the region's own rights."""
        here = self._state
        command = [here.kubectl, "--kubeconfig", here.kubeconfig, "--context", context, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def helm(self, *arguments: str, context: str) -> str:
        """The helm of the settings, with the region's own rights."""
        settings = load.settings()
        command = [settings.helm, "--kubeconfig", str(settings.kubeconfig), "--kube-context", context, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def versions(self) -> dict[str, str]:
        """Everything that a release could change, of all namespaces, with its resource version.

        What still follows from the release before is waited for: pods that end, and the status of what counts them.
        """
        ends, before = time.monotonic() + 60, self._versions()
        while time.monotonic() < ends:
            time.sleep(0.5)
            found = self._versions()
            if found == before and not any(name.endswith(_ENDING) for name in found):
                break
            before = found
        return before

    def _versions(self) -> dict[str, str]:
        items = json.loads(self._as_admin("get", f"{KINDS},{MORE}", "--all-namespaces", "-o", "json"))["items"]
        found = {}
        for one in items:
            meta = one["metadata"]
            # Controllers write a status when its turn comes, long after the release that it follows from.
            told = [one.get("spec"), meta.get("labels"), meta.get("annotations")]
            version = json.dumps(told) if "status" in one else meta["resourceVersion"]
            if not meta["namespace"].startswith("kube-"):
                ending = _ENDING if one["kind"] == "Pod" and "deletionTimestamp" in meta else ""
                found[f"{meta['namespace']}/{one['kind']}/{meta['name']}{ending}"] = version
        return found

    def admin(self) -> Admin:
        """The cluster administrator, whom Tidegate never is."""
        folder = self.home / "sandbox" / "kubernetes"
        address = next(part.address for part in self._state.parts if part.name == "kubernetes")
        return Admin(address, folder / "certs" / "apiserver.crt", ensure_keys(folder / "keys").admin_token)

    def weights(self, region: str) -> tuple[int, int]:
        """The shares of production's users in the region that blue and green have, in percent."""
        path = "jsonpath={.spec.rules[0].backendRefs[*].weight}"
        blue, green = self.kubectl("get", "httproute", "shop", "-o", path, context=f"production-{region}").split()
        return int(blue), int(green)

    def slots(self, namespace: str) -> set[str]:
        """The slots that have anything but a Service there, once their pods have ended."""
        kinds = "deployments,replicasets,pods,horizontalpodautoscalers,poddisruptionbudgets,networkpolicies,secrets"
        ends = time.monotonic() + 60
        while True:
            found = json.loads(self._as_admin("-n", namespace, "get", kinds, "-o", "json"))["items"]
            if time.monotonic() > ends or not any("deletionTimestamp" in one["metadata"] for one in found):
                break
            time.sleep(0.5)
        names = " ".join(one["metadata"]["name"] for one in found)
        return set(re.findall(r"shop-(?:blue|green)", names))

    def limit_pods(self, namespace: str, pods: int | None) -> None:
        """A quota in the namespace, or none."""
        asyncio.run(regions.limit_pods(self.admin(), namespace, pods))

    def _as_admin(self, *arguments: str) -> str:
        admin = self.admin()
        access = ("--server", admin.server, "--certificate-authority", str(admin.ca_file), "--token", admin.token)
        command = [self._state.kubectl, *access, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    def warned(self, namespace: str, after: datetime) -> datetime:
        """When the first warning since then appeared: the failure as Kubernetes itself tells it."""
        events = json.loads(self._as_admin("-n", namespace, "get", "events", "-o", "json"))["items"]
        moments = [_moment(one) for one in events if one["type"] == "Warning"]
        return min(moment for moment in moments if moment >= after.replace(microsecond=0))


def _moment(event: dict[str, Any]) -> datetime:
    return moment(event.get("firstTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def moment(text: str) -> datetime:
    """A time as Kubernetes or Prefect writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def now() -> datetime:
    return datetime.now(UTC)
