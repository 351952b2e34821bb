"""What helm and kubectl show, with a region's own rights, is what the release told; an edit behind its back shows."""

from __future__ import annotations

import json

import pytest
from desk import PODS, Desk, release
from look import Look, Regions
from waiting import until

pytestmark = pytest.mark.slow
SLOT, REGION = "shop-blue", "eu-west-1"


def test_helm_and_kubectl_tell_the_same_story(desk: Desk, look: Look, another: str) -> None:
    result = desk.tidegate(*release(another))
    assert (result.code, result.word) == (0, "released"), result.text
    version, digest = another.removeprefix("v"), result.outcome["digest"]
    for region in result.regions():
        context = f"production-{region}"
        listed = {one["name"]: one for one in json.loads(look.helm("list", "-o", "json", context=context))}
        newest = json.loads(look.helm("history", SLOT, "-o", "json", context=context))[-1]
        status = json.loads(look.helm("status", SLOT, "-o", "json", context=context))
        assert listed[SLOT]["status"] == newest["status"] == status["info"]["status"] == "deployed"
        assert str(newest["revision"]) == listed[SLOT]["revision"] == str(status["version"])
        assert f"v{version}" in newest["description"]
        assert look.live()[region]["helm"] == f"revision {newest['revision']} deployed"
        found = json.loads(look.kubectl("get", "deployment", SLOT, "-o", "json", context=context))
        assert found["spec"]["template"]["spec"]["containers"][0]["image"].endswith(f"@{digest}")
        assert found["status"]["readyReplicas"] == PODS
        described = look.kubectl("describe", "deployment", SLOT, context=context)
        assert digest in described
        assert f"{PODS} desired | {PODS} updated | {PODS} total | {PODS} available" in described
        assert "successfully rolled out" in look.kubectl("rollout", "status", f"deployment/{SLOT}", context=context)


def test_an_edit_behind_its_back_shows(desk: Desk, look: Look, good: Regions, another: str) -> None:
    """What the demo writes down is read from the clusters, not from what a release believes."""
    before = look.live()
    released = desk.tidegate(*release(another))
    assert (released.code, released.word) == (0, "released"), released.text
    live, digest = look.live(), released.outcome["digest"]
    old = before[REGION]["digest"]
    assert old != digest
    edit(look, digest, old)
    until(lambda: look.digests()[REGION] == (old, PODS), 60)
    seen = look.live()
    assert seen.pop(REGION) == {**live.pop(REGION), "version": before[REGION]["version"], "digest": old}
    assert seen == live, "only that region was edited"
    edit(look, old, digest, "--field-manager", "tidegate")
    until(lambda: look.digests()[REGION] == (digest, PODS), 60)


def edit(look: Look, old: str, new: str, *options: str) -> None:
    """Let the region's Deployment have another image, by kubectl, and wait for its pods."""
    context = f"production-{REGION}"
    found = json.loads(look.kubectl("get", "deployment", SLOT, "-o", "json", context=context))
    container = found["spec"]["template"]["spec"]["containers"][0]
    changed = [{"name": container["name"], "image": container["image"].replace(old, new)}]
    patch = json.dumps({"spec": {"template": {"spec": {"containers": changed}}}})
    look.kubectl("patch", "deployment", SLOT, "-p", patch, *options, context=context)
    look.kubectl("rollout", "status", f"deployment/{SLOT}", "--timeout=50s", context=context)
