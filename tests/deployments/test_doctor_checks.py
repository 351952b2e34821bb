"""What `tidegate doctor` says of whom a branch's tests run as."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.console import Console
from somepeople import configured

from deployments import doctor_systems
from deployments.cli.doctor import show
from release import doctor, doctor_user
from release.doctor import Finding
from release.errors import Refused

ROOT = os.geteuid() == 0


async def test_where_nothing_is_guarded_only_roots_worker_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__TARGET", "real")
    assert (await doctor_systems.checks()).grade == ("note" if ROOT else "ok")


@pytest.mark.parametrize("guarded", ["people", "service.github_secret"])
async def test_tests_that_could_pass_the_gates_are_advised_against(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guarded: str
) -> None:
    # A home keeps its target as long as the process lives.
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__TARGET", "real")
    if guarded == "people":
        configured(tmp_path, monkeypatch)
    else:
        monkeypatch.setenv("TIDEGATE__SERVICE__GITHUB_SECRET__ENV", "WEBHOOK_SECRET")
    found = await doctor_systems.checks()
    assert (found.grade, found.detail.endswith(f"may get past {guarded}")) == ("note", True)
    assert "checks: {as: user:NAME}" in found.mend
    monkeypatch.setenv("TIDEGATE__CHECKS__AS", "user:nobody")
    assert (await doctor_systems.checks()).grade == ("ok" if ROOT else "note")


@pytest.mark.skipif(not ROOT, reason="only root is told of a user that it could run as")
@pytest.mark.parametrize(
    ("name", "says"), [("nobody-there", "no user 'nobody-there'"), ("root", "can read everything")]
)
async def test_a_user_as_whom_nothing_can_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("TIDEGATE__CHECKS__AS", f"user:{name}")
    with pytest.raises(Refused, match=says) as refused:
        await doctor_systems.checks()
    assert refused.value.next_step


def test_a_user_is_named_and_this_process_is_not_root() -> None:
    found = doctor_user.as_another("tests", "ada", root=False)
    assert (found.grade, doctor.exit_code([found])) == ("note", 0)
    assert "a worker that is ada's, as this process is, refuses them" in found.detail
    assert found.mend.startswith("Start the worker as root.")
    assert doctor_user.as_another("tests", "root", root=True) == Finding(
        "checks", "user", "ok", "the application's commands run as tests"
    )


@pytest.mark.parametrize(
    ("root", "guarded", "sandbox", "grade", "mend"),
    [
        (True, ["people"], False, "note", "Set `checks"),
        (False, ["people"], False, "note", "Start the worker as root and set `checks"),
        (True, [], False, "note", "Set `checks"),
        (True, [], True, "ok", ""),
        (False, [], False, "ok", ""),
    ],
)
def test_none_is_named(root: bool, guarded: list[str], sandbox: bool, grade: str, mend: str) -> None:
    me = "root" if root else "ada"
    found = doctor_user.as_worker(me, guarded, root=root, sandbox=sandbox)
    assert (found.grade, found.mend[: len(mend)]) == (grade, mend)
    assert bool(found.mend) == (grade != "ok")
    assert f"the worker's own user ({me}, if" in found.detail


def test_advice_is_shown_apart_from_what_has_to_be_mended() -> None:
    console = Console(record=True, width=200)
    wrong = Finding("git", "repository", "wrong", "it is not there", "Correct it.")
    show(console, [doctor_user.as_another("tests", "ada", root=False), wrong], every=False)
    said = console.export_text()
    assert "Next: git, repository: Correct it." in said
    assert "Advice: checks, user: Start the worker as root." in said
