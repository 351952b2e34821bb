"""A chart that the API server would refuse is found before anything is applied."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from region import CHART, CONTEXT, TestRegion, cache_folder, make_region

from clients.helm import Helm, Place
from clients.manifests import require_accepted
from clients.tools import ensure_helm
from release.errors import Refused, TidegateError, Unavailable
from sandbox.admin import Admin

pytestmark = pytest.mark.slow
VALUES = {"application": "shop", "slot": "blue", "image": {"repository": "r/shop", "digest": "sha256:" + "a" * 64}}


@pytest.fixture
async def region(control_plane: Admin, namespace: str, tmp_path: Path) -> TestRegion:
    return await make_region(control_plane, namespace, tmp_path)


@pytest.fixture
async def helm(region: TestRegion, tmp_path: Path) -> Helm:
    return Helm(str(await ensure_helm(cache_folder(), print)), region.kubeconfig, cache=tmp_path / "kube")


async def refused(region: TestRegion, manifests: str) -> TidegateError | None:
    try:
        await require_accepted(region.kubeconfig, CONTEXT, region.namespace, manifests)
    except TidegateError as error:
        return error
    return None


async def upgrade(helm: Helm, region: TestRegion, chart: Path = CHART) -> None:
    at = Place(CONTEXT, region.namespace)
    await helm.upgrade(at, "shop-blue", chart, VALUES, labels={}, description="", timeout=90)


@pytest.mark.parametrize("there", [False, True])
async def test_a_field_that_it_does_not_know(region: TestRegion, helm: Helm, tmp_path: Path, there: bool) -> None:
    if there:
        await upgrade(helm, region)
    at = Place(CONTEXT, region.namespace)
    good = await helm.rendered(at, "shop-blue", CHART, VALUES)
    assert await refused(region, good) is None
    error = await refused(region, good.replace(" terminationGracePeriodSeconds:", " graceSeconds:"))
    assert isinstance(error, Refused)
    assert "Deployment shop-blue" in error.what
    assert "graceSeconds: field not declared in schema" in error.what
    assert error.field == "chart"
    assert len(await helm.history(at, "shop-blue")) == there


async def test_a_value_that_it_does_not_take_and_one_that_cannot_be_changed(region: TestRegion, helm: Helm) -> None:
    await upgrade(helm, region)
    good = await helm.rendered(Place(CONTEXT, region.namespace), "shop-blue", CHART, VALUES)
    objects = {one["kind"]: one for one in yaml.safe_load_all(good) if one}
    deployment = objects["Deployment"]
    negative = {**deployment, "spec": {**deployment["spec"], "replicas": -1}}
    assert "must be greater than or equal to 0" in str(await refused(region, yaml.safe_dump(negative)))
    labels = {**deployment["spec"]["selector"]["matchLabels"], "more": "x"}
    moved = {**deployment, "spec": {**deployment["spec"], "selector": {"matchLabels": labels}}}
    moved["spec"]["template"] = {**moved["spec"]["template"], "metadata": {"labels": labels}}
    assert "immutable" in str(await refused(region, yaml.safe_dump(moved)))


async def test_a_kind_that_the_account_may_not_apply(region: TestRegion) -> None:
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {"a": "b"}}
    error = await refused(region, yaml.safe_dump(kept))
    assert error is not None
    assert (error.field, "lacks the right to patch configmaps" in error.what) == ("role", True)


async def test_secrets_hooks_and_kinds_that_are_not_there_are_not_asked_about(region: TestRegion) -> None:
    others = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop"}, "nonsense": 1},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "test", "annotations": {"helm.sh/hook": "test"}}},
        {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "one"}},
    ]
    assert await refused(region, yaml.safe_dump_all(others)) is None


async def test_an_api_server_that_is_away_is_no_fault_of_the_chart(region: TestRegion) -> None:
    path = region.kubeconfig
    path.write_text(path.read_text().replace(region.admin.server, "https://127.0.0.1:9"))
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}}
    assert isinstance(await refused(region, yaml.safe_dump(thing)), Unavailable)
