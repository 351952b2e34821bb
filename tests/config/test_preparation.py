from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from config import load
from release.errors import Refused
from release.policies import Checks, Maintenance, Rehearsal


@pytest.fixture
def lay_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    (tmp_path / "overlay").mkdir()
    return tmp_path / "overlay"


def test_production_backs_up_and_checks_everything(lay_over: Path) -> None:
    found = load.environment("production", speed=1)
    assert (found.backup, found.checks, found.maintenance) == (True, Checks(), Maintenance("off", 3600))
    assert not found.rehearsal.enabled


def test_staging_rehearses_within_two_minutes_however_fast_the_sandbox_is(lay_over: Path) -> None:
    assert load.environment("staging", speed=1).rehearsal == Rehearsal(True, 120)
    assert load.environment("staging", speed=20).rehearsal == Rehearsal(True, 120)


@pytest.mark.parametrize(("text", "mode"), [("off", "off"), ("'off'", "off"), ("banner", "banner"), ("block", "block")])
def test_off_is_a_word(lay_over: Path, text: str, mode: str) -> None:
    (lay_over / "production.yaml").write_text(f"maintenance: {{mode: {text}}}\n")
    assert load.environment("production", speed=20).maintenance == Maintenance(mode, 3600)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("maintenance", {"mode": "shout"}),
        ("maintenance", {"mode": True}),
        ("maintenance", {"max_s": 0}),
        ("checks", {"team": False}),
        ("rehearsal", {"budget_s": 0}),
    ],
)
def test_a_mistake_is_named_by_its_key(lay_over: Path, key: str, value: dict[str, object]) -> None:
    (lay_over / "production.yaml").write_text(yaml.safe_dump({key: value}))
    with pytest.raises(Refused) as raised:
        load.environment("production", speed=1)
    assert str(raised.value.field).endswith(f": {key}.{next(iter(value))}")


def test_a_version_that_users_do_not_reach_is_checked_at_its_own_address(lay_over: Path) -> None:
    region = {"context": "c", "namespace": "n", "address": "http://web", "previews": {"green": "http://green"}}
    said = {"regions": {"one": region}, "waves": [["one"]]}
    for mode, address in (("banner", "http://web"), ("block", "http://green")):
        (lay_over / "production.yaml").write_text(yaml.safe_dump({**said, "maintenance": {"mode": mode}}))
        found = load.environment("production", speed=1)
        assert found.checked_at(found.regions["one"], "green") == address
        assert found.checked_at(found.regions["one"], "blue") == "http://web"
