from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from sandbox.keptports import KeptPorts


def test_a_name_keeps_its_port(tmp_path: Path) -> None:
    first = KeptPorts(tmp_path / "ports.json")
    registry, git = first.port("registry"), first.port("git")
    assert registry != git
    again = KeptPorts(tmp_path / "ports.json")
    assert (again.port("git"), again.port("registry")) == (git, registry)


def test_a_port_that_somebody_else_took_is_given_up(tmp_path: Path) -> None:
    port = KeptPorts(tmp_path / "ports.json").port("registry")
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        new = KeptPorts(tmp_path / "ports.json").port("registry")
    assert new != port
    assert KeptPorts(tmp_path / "ports.json").port("registry") == new


def test_a_port_that_another_process_was_given_is_not_given_again(tmp_path: Path) -> None:
    port = KeptPorts(tmp_path / "ports.json").port("registry")
    told = subprocess.run(
        [sys.executable, "-c", f"from sandbox.ports import keep; print(keep({port}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "False\n"


def test_a_broken_file_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")
    assert KeptPorts(tmp_path / "ports.json").port("git") > 0
