"""Blue-green in production: checked where nobody sees it, moved in one write, kept for a while, and again."""

from __future__ import annotations

import pytest
from desk import PODS, Desk, only
from images import made
from look import Look, Regions
from test_canary import nothing_left, told
from test_rollback import annotation, weights

pytestmark = pytest.mark.slow
REGION = "us-east-1"
BLUE_GREEN = ("--strategy", "blue-green", *only(REGION))


def slots(look: Look) -> dict[str, int]:
    """Deployment -> its replicas, in the region."""
    path = r'jsonpath={range .items[*]}{.metadata.name} {.spec.replicas}{"\n"}{end}'
    found = look.kubectl("get", "deployments", "-o", path, context=f"production-{REGION}")
    return {name: int(count) for name, count in (line.split() for line in found.splitlines())}


def test_the_second_one_works_inside_the_window_of_the_first(desk: Desk, look: Look, served: Regions) -> None:
    """The originals' second blue-green release found its slot taken."""
    before = weights(look, REGION)
    for _ in range(2):
        artifact = made(desk)
        result = desk.tidegate("release", f"v{artifact.version}", *BLUE_GREEN)
        assert (result.code, result.word) == (0, "released"), result.text
        assert look.digests()[REGION] == (artifact.digest, PODS)
        assert weights(look, REGION) == tuple(reversed(before))
        before = weights(look, REGION)
        lines = told(result, REGION)
        assert [line for line in lines if " now has " in line] == [
            f"{'blue' if before[0] else 'green'} now has 100 % of the users"
        ]
        # Checked before it has users, and again where they are.
        moved = next(number for number, line in enumerate(lines) if " now has 100 %" in line)
        passed = [number for number, line in enumerate(lines) if line.startswith("smoke-production passed")]
        assert len(passed) == 2
        assert passed[0] < moved < passed[1]
        # The one before stays whole, for the window.
        assert slots(look) == {"shop-blue": PODS, "shop-green": PODS}
        assert annotation(look, REGION, "retire")


def test_a_bad_one_never_gets_users(desk: Desk, look: Look, served: Regions) -> None:
    artifact = made(desk, says="0.0.1")
    result = desk.tidegate("release", f"v{artifact.version}", *BLUE_GREEN)
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith(f"{REGION}: smoke-production failed")
    assert " now has " not in result.text
    look.back_on(served, REGION)
    nothing_left(look, REGION)


def test_one_that_is_bad_with_users_goes_back_in_one_write(desk: Desk, look: Look, served: Regions) -> None:
    artifact, before = made(desk), weights(look, REGION)
    with desk.start("release", f"v{artifact.version}", *BLUE_GREEN) as running:
        running.until(" now has 100 %")
        desk.behave(artifact.version, REGION, error_rate=1.0)
        result = running.end()
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert weights(look, REGION) == before
    lines = told(result, REGION)
    assert len([line for line in lines if " now has 100 %" in line]) == 2
    assert not [line for line in lines[lines.index("going back") :] if "is being upgraded" in line]
    look.back_on(served, REGION)
    nothing_left(look, REGION)
