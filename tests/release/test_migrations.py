"""No way leads back over a migration declared irreversible."""

from __future__ import annotations

import pytest
from simulated import BLUE_GREEN, Simulated, roll, want

from release import migrations, recovery
from release.appfile import AppFile, Migration
from release.recovery import Back, Stuck
from release.steps import Shift
from release.versions import Version


def app(*steps: tuple[str, bool]) -> AppFile:
    return AppFile({}, migrations=tuple(Migration(f"to-{v}", _version(v), hard) for v, hard in steps))


def _version(text: str) -> Version:
    return Version(*(int(part) for part in text.split(".")))


@pytest.mark.parametrize(
    ("step", "hard", "crossed"),
    [
        ("1.5.0", True, True),
        ("1.5.0", False, False),
        ("1.4.1", True, True),
        ("1.4.0", True, False),  # it came with the version one goes back to
        ("1.6.0", True, False),  # it comes with a later version
    ],
)
def test_only_irreversible_migrations_between_the_two_versions_count(step: str, hard: bool, crossed: bool) -> None:
    found = migrations.crossed(app((step, hard)), "1.5.0", "1.4.0")

    assert bool(found) is crossed


def test_a_version_without_a_place_in_the_order_counts_every_irreversible_migration() -> None:
    file = app(("1.2.0", True), ("1.3.0", False))

    assert [one.name for one in migrations.crossed(file, "dev-abc", "1.4.0")] == ["to-1.2.0"]


@pytest.mark.parametrize("weights", [(), BLUE_GREEN])
def test_a_way_back_over_one_is_stuck_and_removes_nothing(weights: tuple[int, ...]) -> None:
    region, bad = Simulated(), want(5, weights=weights)
    assert roll(region, want(4)) == "done"
    assert roll(region, bad) == "done"
    ways = recovery.ways([region.state], bad)
    assert isinstance(ways[0], Back)

    (frozen,) = migrations.freeze(ways, bad.artifact, app(("1.5.0", True)))

    assert isinstance(frozen, Stuck)
    assert not frozen.removable
    assert "to-1.5.0 (v1.5.0)" in frozen.why
    assert "tidegate hotfix" in frozen.decide
    assert "v1.4.0" in frozen.decide


def test_other_ways_are_left_as_they_are() -> None:
    region, bad = Simulated(), want(5)
    assert roll(region, bad) == "done"
    stuck = recovery.ways([region.state], bad)
    assert isinstance(stuck[0], Stuck)
    assert migrations.freeze(stuck, bad.artifact, app(("1.5.0", True))) == stuck

    other = Simulated()
    assert roll(other, want(4)) == "done"
    assert roll(other, bad) == "done"
    ways = recovery.ways([other.state], bad)
    assert migrations.freeze(ways, bad.artifact, app(("1.5.0", False), ("1.4.0", True))) == ways


@pytest.mark.parametrize(("weights", "write"), [((), False), (BLUE_GREEN, True)])
def test_users_leave_by_one_write_where_their_version_is_kept_and_not_over_such_a_migration(
    weights: tuple[int, ...], write: bool
) -> None:
    region, bad = Simulated(), want(5, weights=weights)
    assert migrations.users_back(region.state, bad, app()) is None
    assert roll(region, want(4)) == "done"
    assert migrations.users_back(region.state, bad, app()) is None
    assert roll(region, bad) == "done"
    assert migrations.users_back(region.state, bad, app()) == (Shift("blue", 100) if write else None)
    assert migrations.users_back(region.state, bad, app(("1.5.0", True))) is None
