"""The alert rules, checked and tested by Prometheus' own promtool."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clients.process import run
from config import load
from sandbox.debian import unpacked

pytestmark = pytest.mark.slow
MONITORING = Path(__file__).parents[2] / "infrastructure" / "monitoring"


async def promtool() -> str:
    installed = shutil.which("promtool")
    if installed is not None:
        return installed
    # The package is the server's: one folder holds both.
    server = Path("usr/bin/prometheus")
    found = await unpacked("prometheus", server, load.cache() / "prometheus", print)
    assert found is not None, "apt-get has no prometheus here"
    return str(found.with_name("promtool"))


@pytest.mark.parametrize("words", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")])
async def test_promtool_has_nothing_against_them(words: tuple[str, ...]) -> None:
    done = await run([await promtool(), *words], cwd=MONITORING, timeout=60)
    assert done.code == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


async def test_promtool_would_notice_an_alert_that_does_not_fire(tmp_path: Path) -> None:
    """The tests of the rules are tests: with another number they fail."""
    for name in ("alerts.yml", "alerts.test.yml"):
        (tmp_path / name).write_text((MONITORING / name).read_text().replace("> 1800", "> 3600"))
    done = await run([await promtool(), "test", "rules", "alerts.test.yml"], cwd=tmp_path, timeout=60)
    assert done.code == 1
    assert "DeploymentStuck" in done.stdout + done.stderr
