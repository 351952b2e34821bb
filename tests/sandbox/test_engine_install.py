"""Who decides whether docker.io is installed, and what happens when apt-get does not; apt-get is a fake one."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.errors import Unavailable
from sandbox.engine_install import allowed, install

WORKS = '#!/bin/sh\necho "$RUNLEVEL $*" >> {log}\n'
NEEDS_LISTS = (
    '#!/bin/sh\necho "$*" >> {log}\n'
    'case "$*" in *update*) touch {log}.lists;; *) test -e {log}.lists || {{ echo "E: no package" >&2; exit 100; }};; '
    "esac\n"
)
BUSY = (
    '#!/bin/sh\necho "$*" >> {log}\n'
    'test $(wc -l < {log}) -gt 1 || {{ echo "E: Could not get lock /var/lib/dpkg/lock." >&2; exit 100; }}\n'
)
NEVER = "#!/bin/sh\necho 'E: no network' >&2\nexit 100\n"


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.delenv("TIDEGATE_ENGINE", raising=False)
    return tmp_path / "log"


def fake_apt(log: Path, script: str) -> None:
    path = log.parent / "bin" / "apt-get"
    path.write_text(script.format(log=log))
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("decision", "answer", "may"),
    [
        ("", None, True),
        ("", True, True),
        ("", False, False),
        ("install", False, True),
        ("none", True, False),
    ],
)
def test_the_variable_decides_then_the_person_then_yes(
    log: Path, monkeypatch: pytest.MonkeyPatch, decision: str, answer: bool | None, may: bool
) -> None:
    fake_apt(log, WORKS)
    monkeypatch.setenv("TIDEGATE_ENGINE", decision)
    ask = None if answer is None else lambda _: bool(answer)
    assert (allowed(ask) is None) is may


def test_without_apt_get_nobody_is_asked(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(log.parent))
    questions: list[str] = []
    reason = allowed(lambda question: not questions.append(question))
    assert reason is not None
    assert "apt-get" in reason
    assert questions == []


async def test_docker_is_installed_without_starting_its_service(log: Path) -> None:
    fake_apt(log, WORKS)
    await install(print)
    assert log.read_text() == "1 -q -o DPkg::Lock::Timeout=60 install -y --no-install-recommends docker.io\n"


async def test_old_package_lists_are_refreshed_once(log: Path) -> None:
    fake_apt(log, NEEDS_LISTS)
    await install(print)
    assert [line.split()[3] for line in log.read_text().splitlines()] == ["install", "update", "install"]


async def test_another_apt_get_is_waited_for(log: Path) -> None:
    fake_apt(log, BUSY)
    await install(print)
    assert len(log.read_text().splitlines()) == 2


async def test_an_installation_that_fails_is_told_with_apts_reason(log: Path) -> None:
    fake_apt(log, NEVER)
    with pytest.raises(Unavailable, match="E: no network"):
        await install(print)
