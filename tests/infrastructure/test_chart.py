"""What the chart renders, and what it refuses. The real helm renders it; no cluster is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.helm import Helm, Place
from clients.process import run
from clients.tools import ensure_helm
from release.errors import Refused

INFRASTRUCTURE = Path(__file__).parents[2] / "infrastructure"
CHART = INFRASTRUCTURE / "chart"
DIGEST = "sha256:" + "a" * 64
SELECTOR = {
    "app.kubernetes.io/name": "shop",
    "app.kubernetes.io/instance": "shop-blue",
    "tidegate.dev/slot": "blue",
}


async def helm_executable() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return await ensure_helm(Path(os.environ.get("TIDEGATE_CACHE") or home / "tidegate"), print)


async def render(*, slot: str = "blue", **values: Any) -> dict[str, dict[str, Any]]:
    helm = Helm(str(await helm_executable()), Path("unused"))
    given = {"application": "shop", "slot": slot, "image": {"repository": "127.0.0.1:5000/shop", "digest": DIGEST}}
    text = await helm.template(Place("unused", "shop"), "shop-blue", CHART, {**given, **values})
    made = [one for one in yaml.safe_load_all(text) if one]
    return {"Test" if "hook" in str(one["metadata"].get("annotations")) else one["kind"]: one for one in made}


def container(made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    [only] = made["Deployment"]["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("environment", [None, "development", "staging", "production"])
async def test_lint_is_clean_with_the_values_of_every_environment(environment: str | None) -> None:
    values = ["--values", str(INFRASTRUCTURE / "values" / f"{environment}.yaml")] if environment else []
    done = await run([str(await helm_executable()), "lint", "--strict", str(CHART), *values], timeout=30)
    assert done.code == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout


async def test_a_slot_selects_its_own_pods_everywhere_and_makes_no_service() -> None:
    made = await render()
    assert sorted(made) == ["Deployment", "NetworkPolicy", "PodDisruptionBudget", "ServiceAccount", "Test"]
    assert made["Deployment"]["spec"]["selector"]["matchLabels"] == SELECTOR
    assert made["Deployment"]["spec"]["template"]["metadata"]["labels"].items() >= SELECTOR.items()
    assert made["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == SELECTOR
    assert made["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == SELECTOR


async def test_the_chart_test_asks_the_service_and_is_in_no_selector() -> None:
    made = await render()
    test = made["Test"]
    assert test["spec"]["containers"][0]["args"] == ["http://shop-blue/health"]
    assert test["metadata"]["labels"]["app.kubernetes.io/name"] != "shop"
    alone = await render(slot="", service={"port": 8080})
    assert alone["Test"]["spec"]["containers"][0]["args"] == ["http://shop-blue:8080/health"]
    assert alone["Service"]["spec"]["selector"] == {
        key: value for key, value in SELECTOR.items() if key != "tidegate.dev/slot"
    }


async def test_the_image_is_named_by_digest() -> None:
    assert container(await render())["image"] == f"127.0.0.1:5000/shop@{DIGEST}"


async def test_variables_are_values_and_secrets_are_references() -> None:
    made = await render(
        environment="production",
        region="us-east-1",
        env={"API_URL": "https://api", "COUNT": "010"},
        secret={"name": "shop-secrets", "keys": ["DB_PASSWORD"]},
    )
    env = {one["name"]: one.get("value", one.get("valueFrom")) for one in container(made)["env"]}
    assert env == {
        "ENVIRONMENT": "production",
        "REGION": "us-east-1",
        "PORT": "8080",
        "API_URL": "https://api",
        "COUNT": "010",
        "DB_PASSWORD": {"secretKeyRef": {"name": "shop-secrets", "key": "DB_PASSWORD"}},
    }


async def test_names_that_yaml_reads_as_something_else_stay_names() -> None:
    made = await render(application="123", env={"N": "on", "Y": "1e3"}, secret={"name": "on", "keys": ["NO"]})
    env = {one["name"]: one.get("value", one.get("valueFrom")) for one in container(made)["env"]}
    assert env == {"PORT": "8080", "N": "on", "Y": "1e3", "NO": {"secretKeyRef": {"name": "on", "key": "NO"}}}
    assert made["Deployment"]["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] == "123"


async def test_pods_are_restricted_probed_and_end_slowly() -> None:
    made = await render(preStopSeconds=7)
    pod, only = made["Deployment"]["spec"]["template"]["spec"], container(made)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert only["securityContext"]["readOnlyRootFilesystem"] is True
    assert only["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    assert [port["name"] for port in only["ports"]] == ["http"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert only[probe]["httpGet"] == {"path": "/health", "port": "http"}
    assert "lifecycle" not in container(await render(preStopSeconds=0))


async def test_an_autoscaler_owns_the_replicas() -> None:
    autoscaling = {"enabled": True, "minReplicas": 4, "maxReplicas": 9}
    made = await render(replicas=3, autoscaling=autoscaling)
    assert "replicas" not in made["Deployment"]["spec"]
    assert made["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 4
    assert (await render(replicas=3))["Deployment"]["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("image", {"repository": "shop", "digest": "sha256:12"}, "/image/digest"),
        ("image", {"repository": "shop", "digest": ""}, "image.digest is required"),
        ("image", {"repository": "shop:latest", "digest": DIGEST}, "/image/repository"),
        ("rolling", {"maxSurge": "25x", "maxUnavailable": 0}, "/rolling/maxSurge"),
        ("slot", "red", "/slot"),
        ("env", {"ENVIRONMENT": "x"}, "/env/ENVIRONMENT"),
        ("env", {"not-a-name": "x"}, "not-a-name"),
        ("secret", {"name": "", "keys": ["KEY"]}, "secret.name is required"),
        ("terminationGracePeriodSeconds", 5, "longer than preStopSeconds"),
        ("autoscaling", {"enabled": True, "minReplicas": 5, "maxReplicas": 3}, "autoscaling.maxReplicas"),
        ("replicaCount", 3, "replicaCount"),
    ],
)
async def test_a_wrong_value_is_refused_by_its_name(key: str, value: Any, words: str) -> None:
    with pytest.raises(Refused, match="chart: The chart does not render") as caught:
        await render(**{key: value})
    assert words in str(caught.value)
