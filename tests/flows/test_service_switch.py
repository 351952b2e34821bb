"""Without Gateway API: the selector of one Service sends a region's users, and one write moves all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from counted import GATEWAY, failures, requests
from desk import PODS, Desk, only, release
from images import made
from look import Look, Regions
from test_canary import told

pytestmark = pytest.mark.slow
REGION = "us-east-1"
CONTEXT = f"production-{REGION}"
BLUE_GREEN = ("--strategy", "blue-green", *only(REGION))


# What runs there was recorded on the other kind of switch.
UNRECORDED = {"checks": {"last_good": False}}


@pytest.fixture
def switched(desk: Desk, look: Look, good: Regions, another: str) -> Iterator[Path]:
    """A home in which a Service sends the region's users, who have a good version; no route is left there."""
    service = {"regions": {REGION: {"traffic": "service"}}}
    look.kubectl("delete", "httproutes", "--all", context=CONTEXT)
    try:
        result = desk.tidegate(
            *release(another, *only(REGION)), home=desk.variant(production={**service, **UNRECORDED})
        )
        assert result.word == "released", result.text
        yield desk.variant(production=service)
    finally:
        look.kubectl("delete", "service", "shop", "--ignore-not-found", context=CONTEXT)
        desk.calm()
        back = desk.tidegate(*release(another, *only(REGION)), home=desk.variant(production=UNRECORDED))
    assert back.word == "released", back.text


def selected(look: Look) -> str:
    """The slot that has the users."""
    path = r"jsonpath={.spec.selector.tidegate\.dev/slot}"
    return look.kubectl("get", "service", "shop", "-o", path, context=CONTEXT)


def digest(look: Look, home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    """What every Ready pod of the selected slot has, and their count."""
    with monkeypatch.context() as patched:
        patched.setenv("TIDEGATE_HOME", str(home))
        return look.digests()[REGION]


def test_users_follow_the_selector_forward_and_back(
    desk: Desk, look: Look, good: Regions, switched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert selected(look) == "blue"
    first, bad, second = made(desk), made(desk), made(desk)
    before = requests(REGION)
    with failures(REGION) as failed:
        result = desk.tidegate("release", f"v{first.version}", *BLUE_GREEN, home=switched)
        assert (result.code, result.word) == (0, "released"), result.text
    assert failed == {REGION: {}}, result.text
    assert requests(REGION) > before
    assert (selected(look), digest(look, switched, monkeypatch)) == ("green", (first.digest, PODS))

    with failures(REGION) as failed, desk.start("release", f"v{bad.version}", *BLUE_GREEN, home=switched) as running:
        running.until(" now has 100 %")
        desk.behave(bad.version, REGION, error_rate=1.0)
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert not [who for who, _ in failed[REGION] if who == GATEWAY], "only the version itself answered with errors"
    lines = told(result, REGION)
    assert len([line for line in lines if " now has 100 %" in line]) == 2
    assert not [line for line in lines[lines.index("going back") :] if "is being upgraded" in line]
    assert selected(look) == "green"
    with monkeypatch.context() as patched:
        patched.setenv("TIDEGATE_HOME", str(switched))
        look.back_on({**good, REGION: (first.digest, PODS)}, REGION)

    with failures(REGION) as failed:
        result = desk.tidegate("release", f"v{second.version}", *only(REGION), home=switched)
        assert (result.code, result.word) == (0, "released"), result.text
    assert failed == {REGION: {}}, result.text
    assert (selected(look), digest(look, switched, monkeypatch)) == ("green", (second.digest, PODS))

    refused = desk.tidegate("release", f"v{bad.version}", "--strategy", "canary", *only(REGION), home=switched)
    assert (refused.code, refused.word) == (2, "refused"), refused.text
    assert refused.reason.startswith("strategy: a canary needs shares of the users")
    assert "traffic: service" in refused.reason
    assert look.kubectl("get", "httproutes", "-o", "name", context=CONTEXT) == ""
