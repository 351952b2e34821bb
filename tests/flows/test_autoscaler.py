"""With an autoscaler that decides the count, no release and no way back lands on fewer pods."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from desk import PODS, Desk, only, release
from look import Look

pytestmark = pytest.mark.slow
REGION = "us-east-1"
CONTEXT = f"production-{REGION}"
LEAST = 2


@pytest.fixture
def scaled(desk: Desk) -> Path:
    """A home in which an autoscaler decides how many pods there are."""
    return desk.variant(
        production={"values": {"autoscaling": {"enabled": True, "minReplicas": LEAST, "maxReplicas": 20}}}
    )


def test_an_autoscaler_is_turned_on_and_a_bad_canary_taken_back_without_losing_a_pod(
    desk: Desk, look: Look, another: str, scaled: Path
) -> None:
    with fewest_ready(look) as fewest:
        turned_on = desk.tidegate(*release(another, *only(REGION)), home=scaled)
    assert turned_on.word == "released", turned_on.text
    assert min(fewest) >= PODS - 1, fewest  # of four, one may be exchanged at a time
    assert look.live()[REGION]["ready"] == PODS

    desk.stage("v1.7.0")
    before = look.digests()
    result = desk.tidegate(*release("v1.7.0", *only(REGION), "--strategy", "canary"), home=scaled)
    assert (result.code, result.word) == (3, "recovered"), result.text
    look.back_on(before, REGION)
    live = look.live()[REGION]
    assert (live["version"], live["ready"]) == (another.removeprefix("v"), PODS)
    # Held during the release, and free again after it: the pods that are there stay until it decides otherwise.
    assert minimum(look) == LEAST
    assert "may go down to 2 pods again" in result.text
    # Without an autoscaler the field is Helm's again.
    assert desk.tidegate(*release(another, *only(REGION))).word == "released"
    desk.released(another)


def minimum(look: Look) -> int:
    found = json.loads(look.kubectl("get", "hpa", "-o", "json", context=CONTEXT))["items"]
    [scaler] = found
    return int(scaler["spec"]["minReplicas"])


@contextmanager
def fewest_ready(look: Look) -> Iterator[list[int]]:
    """How many pods were Ready, again and again meanwhile."""
    seen: list[int] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            found = json.loads(look.kubectl("get", "deploy", "-o", "json", context=CONTEXT))["items"]
            seen.append(sum(one.get("status", {}).get("readyReplicas", 0) for one in found))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
