"""How helm is called, and what its complaints become; the executable is a script that notes how it was called."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clients.helm import Helm, Listed, Place, Revision
from clients.helm_errors import NoRelease, Pending
from clients.kube_errors import Conflict
from release.errors import Failed, Refused, TidegateError, Unavailable

AT = Place("production-us-east-1", "shop")
SCRIPT = """#!{python}
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
says = json.load(open(os.path.join(here, "says.json")))
stdin = sys.stdin.read() if "-" in sys.argv else ""
with open(os.path.join(here, "calls.jsonl"), "a") as calls:
    print(json.dumps({{"argv": sys.argv[1:], "stdin": stdin, "env": dict(os.environ)}}), file=calls)
print(says["stdout"])
print(says["stderr"], file=sys.stderr)
sys.exit(says["code"])
"""


@dataclass
class FakeHelm:
    folder: Path

    def says(self, stdout: str = "", *, stderr: str = "", code: int = 0) -> None:
        (self.folder / "says.json").write_text(json.dumps({"stdout": stdout, "stderr": stderr, "code": code}))

    def fails(self, stderr: str) -> None:
        self.says(stderr=stderr, code=1)

    def call(self) -> dict[str, Any]:
        [line] = (self.folder / "calls.jsonl").read_text().splitlines()
        return dict(json.loads(line))

    @property
    def client(self) -> Helm:
        return Helm(str(self.folder / "helm"), self.folder / "kubeconfig", cache=self.folder / "cache")


@pytest.fixture
def helm(tmp_path: Path) -> FakeHelm:
    script = tmp_path / "helm"
    script.write_text(SCRIPT.format(python=sys.executable))
    script.chmod(0o755)
    fake = FakeHelm(tmp_path)
    fake.says()
    return fake


async def upgrade(helm: FakeHelm, **more: Any) -> None:
    values = {"image": {"digest": "sha256:abc"}, "env": {"DB_HOST": "db.internal"}}
    labels = {"tidegate.dev/version": "1.4.0", "tidegate.dev/commit": "c"}
    await helm.client.upgrade(
        AT, "shop-blue", Path("chart"), values, labels=labels, description="v1.4.0 by ada", timeout=300, **more
    )


async def test_values_are_on_standard_input_and_nowhere_else(helm: FakeHelm) -> None:
    await upgrade(helm)
    call = helm.call()
    assert json.loads(call["stdin"]) == {"image": {"digest": "sha256:abc"}, "env": {"DB_HOST": "db.internal"}}
    assert not any("db.internal" in word or "sha256" in word for word in call["argv"])


async def test_an_upgrade_installs_too_and_is_server_side(helm: FakeHelm) -> None:
    await upgrade(helm)
    argv = helm.call()["argv"]
    assert argv[:4] == ["upgrade", "--install", "shop-blue", "chart"]
    assert "--server-side=true" in argv
    assert not any(word.startswith("--wait") or word == "--force-conflicts" for word in argv)
    follows = dict(itertools.pairwise(argv))
    assert follows["--labels"] == "tidegate.dev/version=1.4.0,tidegate.dev/commit=c"
    assert follows["--kube-context"] == "production-us-east-1"
    assert follows["--namespace"] == "shop"
    assert follows["--timeout"] == "300s"


async def test_a_forced_upgrade_takes_fields_back(helm: FakeHelm) -> None:
    await upgrade(helm, force_conflicts=True)
    assert "--force-conflicts" in helm.call()["argv"]


async def test_the_environment_cannot_redirect_helm(helm: FakeHelm, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "HELM_KUBECONTEXT", "HELM_KUBETOKEN", "HELM_NAMESPACE", "HELM_DRIVER"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    helm.says("[]")
    await helm.client.history(AT, "shop-blue")
    env = helm.call()["env"]
    assert "elsewhere" not in env.values()
    assert env["AWS_PROFILE"] == "prod"
    assert (env["HELM_QPS"], env["HELM_BURST_LIMIT"]) == ("1000", "2000")
    assert env["KUBECACHEDIR"] == str(helm.folder / "cache")


COMPLAINTS = [
    (
        'Error: kubernetes cluster unreachable: Get "https://127.0.0.1:9/version": dial tcp: connection refused',
        Unavailable,
        "production-us-east-1",
    ),
    ('Error: UPGRADE FAILED: an error on the server ("unknown") has prevented the request', Unavailable, "upgrade"),
    ("Error: UPGRADE FAILED: the server was unable to return a response in the time allotted", Unavailable, ""),
    ("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", Pending, "rollback"),
    ("Error: UPGRADE FAILED: release: already exists", Conflict, "faster"),
    ('Error: kubernetes cluster unreachable: context "production-us-east-1" does not exist', Refused, "context:"),
    (
        "Error: kubernetes cluster unreachable: the server has asked for the client to provide credentials",
        Refused,
        "kubeconfig:",
    ),
    (
        'level=WARN msg="upgrade failed"\nError: UPGRADE FAILED: conflict occurred while applying object r1/shop-blue'
        ' apps/v1, Kind=Deployment: Apply failed with 1 conflict: conflict with "kubectl-set" using apps/v1: .spec',
        Conflict,
        "kubectl-set",
    ),
    (
        "Error: values don't meet the specifications of the schema(s) in the following chart(s):\napplication:\n"
        "- at '/image/digest': 'sha256:12' does not match pattern",
        Refused,
        "chart: The chart does not render",
    ),
    ("Error: execution error at (application/templates/deployment.yaml:2:4): too short", Refused, "chart:"),
    ('Error: path "/nonexistent" not found', Refused, "chart:"),
    (
        'Error: query: failed to query with labels: secrets is forbidden: User "system:serviceaccount:r1:t" cannot list'
        ' resource "secrets" in API group "" in the namespace "r1"',
        Refused,
        "role: The service account of context production-us-east-1 lacks the right to list secrets",
    ),
    ("Error: something never heard of", Refused, "helm upgrade of shop-blue"),
]


@pytest.mark.parametrize(("stderr", "kind", "words"), COMPLAINTS)
async def test_complaints_become_errors_for_people(
    helm: FakeHelm, stderr: str, kind: type[TidegateError], words: str
) -> None:
    helm.fails(stderr)
    with pytest.raises(kind) as caught:
        await upgrade(helm)
    assert words in str(caught.value)
    assert "level=" not in str(caught.value)


async def test_history_and_list_read_both_of_helms_number_formats(helm: FakeHelm) -> None:
    entry = {"revision": 3, "updated": "2026", "status": "deployed", "chart": "a-1", "description": "d"}
    helm.says(json.dumps([entry]))
    assert await helm.client.history(AT, "shop-blue") == (Revision(3, "deployed", "d", "2026"),)
    helm.says(json.dumps([{**entry, "name": "shop-blue", "revision": "3"}]))
    assert await helm.client.list(AT) == (Listed("shop-blue", 3, "deployed", "a-1", "2026"),)


async def test_what_is_not_there_is_not_an_error_to_ask_for(helm: FakeHelm) -> None:
    helm.fails("Error: release: not found")
    assert await helm.client.history(AT, "shop-blue") == ()
    assert await helm.client.status(AT, "shop-blue") is None
    assert await helm.client.get_values(AT, "shop-blue", 7) is None
    with pytest.raises(NoRelease):
        await helm.client.rollback(AT, "shop-blue", 7)


async def test_values_of_a_revision_without_any_are_empty(helm: FakeHelm) -> None:
    helm.says("null")
    assert await helm.client.get_values(AT, "shop-blue", 1) == {}


async def test_a_chart_test_that_fails_is_a_failure_not_a_refusal(helm: FakeHelm) -> None:
    helm.says("TEST SUITE:     shop-blue-test\nPhase:          Failed", stderr="Error: pod failed", code=1)
    with pytest.raises(Failed, match="shop-blue-test of shop-blue did not pass"):
        await helm.client.test(AT, "shop-blue", timeout=5)


async def test_a_chart_test_that_cannot_be_asked_for_is_unavailable(helm: FakeHelm) -> None:
    helm.fails("Error: kubernetes cluster unreachable: connection refused")
    with pytest.raises(Unavailable):
        await helm.client.test(AT, "shop-blue", timeout=5)


async def test_no_helm_at_all(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="executable"):
        await Helm(str(tmp_path / "helm"), tmp_path / "kubeconfig").version()


async def test_the_version(helm: FakeHelm) -> None:
    helm.says("v4.3.1+gc0d08d0")
    assert await helm.client.version() == "v4.3.1"
