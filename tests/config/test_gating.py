"""The gates and the people in the configuration files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from config import load
from release.errors import Refused
from release.gates_freeze import frozen

Edit = Callable[[str, str], None]
WEEKEND = "{name: weekend, start: 2026-01-02T16:00, duration: P2DT16H, rrule: FREQ=WEEKLY;BYDAY=FR}"


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    shutil.copytree(load.CHECKOUT / "config", tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__py*"))
    monkeypatch.setenv("TIDEGATE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "home"))

    def write(name: str, text: str) -> None:
        path = tmp_path / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **yaml.safe_load(text)}))

    return write


def test_a_freeze_is_in_the_gates_time_zone_unless_it_has_its_own(edit: Edit) -> None:
    other = WEEKEND.replace("}", ", time_zone: America/New_York}")
    edit("production", f"gates: {{time_zone: Europe/Berlin, freezes: [{WEEKEND}, {other}]}}")
    gates = load.environment("production", speed=1).gates
    assert [one.zone for one in gates.freezes] == ["Europe/Berlin", "America/New_York"]
    found = frozen(gates.freezes, datetime(2026, 11, 27, 17, 5, tzinfo=ZoneInfo("Europe/Berlin")))
    assert found is not None
    assert found[1].astimezone(ZoneInfo("UTC")).isoformat() == "2026-11-30T13:00:00+00:00"


def test_speed_divides_the_timer_and_not_how_long_votes_count(edit: Edit) -> None:
    edit("production", "gates: {wait_s: 1800, expire_s: 600}")
    gates = load.environment("production", speed=20).gates
    assert (gates.wait, gates.expire) == (90, 600)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (f"gates: {{freezes: [{WEEKEND.replace('P2DT16H', 'two days')}]}}", "two days"),
        (f"gates: {{freezes: [{WEEKEND.replace('WEEKLY', 'SECONDLY')}]}}", "daily or rarer"),
        (f"gates: {{freezes: [{WEEKEND.replace('16:00', '16:00:00Z')}]}}", "local time"),
        ("gates: {time_zone: Mars/Olympus}", "there is no time zone 'Mars/Olympus'"),
        ("gates: {approvals: 11}", "gates.approvals"),
        ("gates: {expire_s: 1}", "gates.expire_s"),
    ],
)
def test_what_means_nothing_is_refused_with_its_key(edit: Edit, broken: str, says: str) -> None:
    edit("production", broken)
    with pytest.raises(Refused, match=says) as caught:
        load.environment("production", speed=1)
    assert "production.yaml: gates" in str(caught.value)


def test_people_have_roles_and_names_elsewhere(edit: Edit) -> None:
    edit("tidegate", "people: {ada: {roles: [operate], slack: U1, github: ada-l, totp: {env: A}}, sam: {roles: [see]}}")
    people = load.settings().persons
    assert (people["ada"].slack, people["ada"].may("approve"), people["sam"].may("approve")) == ("U1", True, False)


@pytest.mark.parametrize(
    "broken", ["{ada: {roles: []}}", "{ada: {roles: [king]}}", "{ada: {roles: [see], totp: hunter2}}"]
)
def test_a_person_that_means_nothing_is_refused(edit: Edit, broken: str) -> None:
    edit("tidegate", f"people: {broken}")
    with pytest.raises(Refused, match=r"people\.ada") as caught:
        load.settings()
    assert "hunter2" not in str(caught.value)
