"""What `tidegate doctor` says of whom a branch's tests run as."""

from __future__ import annotations

from pathlib import Path

import pytest
from somepeople import configured

from deployments import doctor_systems


async def test_where_nothing_is_guarded_the_worker_is_good_enough() -> None:
    assert (await doctor_systems.checks()).grade == "ok"


@pytest.mark.parametrize(("target", "grade"), [("real", "wrong"), ("sandbox", "note")])
@pytest.mark.parametrize("guarded", ["people", "service.github_secret"])
async def test_tests_that_could_pass_the_gates_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, grade: str, guarded: str
) -> None:
    # A home keeps its target as long as the process lives.
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__TARGET", target)
    if guarded == "people":
        configured(tmp_path, monkeypatch)
    else:
        monkeypatch.setenv("TIDEGATE__SERVICE__GITHUB_SECRET__ENV", "WEBHOOK_SECRET")
    found = await doctor_systems.checks()
    assert (found.grade, guarded in found.detail) == (grade, True)
    assert "checks: {as: user:NAME}" in found.mend
    monkeypatch.setenv("TIDEGATE__CHECKS__AS", "user:nobody")
    assert (await doctor_systems.checks()).grade == "ok"
