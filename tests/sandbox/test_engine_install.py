"""Who decides whether docker.io is installed, and what happens when apt-get does not; apt-get is a fake one, and so
is the engine that is there already."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_engine import fake_engine

from release.errors import Unavailable
from sandbox import state
from sandbox.engine_install import allowed, decision, install

MACHINES = Path("/var/run/docker.sock").exists()

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
    monkeypatch.delenv("DOCKER_HOST", raising=False)
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


@pytest.fixture
def bare(log: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with apt-get and without dockerd; its folder."""
    fake_apt(log, WORKS)
    monkeypatch.setenv("PATH", str(log.parent / "bin"))
    return log.parent


@pytest.mark.skipif(MACHINES, reason="this machine has an engine")
@pytest.mark.parametrize(("answer", "word"), [(True, "install"), (False, "none")])
async def test_a_socket_that_nobody_listens_on_is_no_engine(
    bare: Path, monkeypatch: pytest.MonkeyPatch, answer: bool, word: str
) -> None:
    (bare / "docker.sock").touch()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{bare}/docker.sock")
    assert await decision(lambda _: answer) == word


@pytest.mark.parametrize("said", ["", "install", "none"])
async def test_nobody_is_asked_where_an_engine_answers_or_the_variable_says_it(
    bare: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    questions: list[str] = []
    async with fake_engine(bare, near=True) as host:
        monkeypatch.setenv("DOCKER_HOST", host if not said else "")
        monkeypatch.setenv("TIDEGATE_ENGINE", said)
        assert await decision(lambda question: not questions.append(question)) is None
    assert questions == []


@pytest.mark.skipif(MACHINES, reason="this machine has an engine")
async def test_an_engine_that_does_not_reach_our_registry_is_none(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_engine(bare) as host:
        monkeypatch.setenv("DOCKER_HOST", host)
        assert await decision(lambda _: False) == "none"


@pytest.mark.skipif(MACHINES or os.geteuid() != 0, reason="needs root, and a machine without an engine")
@pytest.mark.parametrize("options", [(), ("--foreground",)], ids=["background", "foreground"])
def test_the_person_at_the_terminal_is_asked_before_anything_is_started(
    bare: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    home = bare / "home"
    monkeypatch.setenv("TIDEGATE_HOME", str(home))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "deployments.cli", "sandbox", "up", *options]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    try:
        assert "Install Debian's docker.io with apt-get?" in read_until(ours, "[y/N]:")
        os.write(ours, b"\x04")  # the end of what is typed: no answer at all
        assert process.wait(20) != 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
    assert state.read(home) is None
    assert not (bare / "log").exists(), "nothing is installed"


def read_until(terminal: int, wanted: str) -> str:
    """What is shown on it, up to `wanted`; all of it where that does not come."""
    shown, until = "", time.monotonic() + 30
    while wanted not in shown and time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


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
