"""What a person is told of a demo's sandbox that is left up."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sandbox import kept
from sandbox.options import Options
from sandbox.state import Part, State

PORTS = {"git": 1, "github": 2, "prefect": 3, "serve": 4, "prometheus": 5}


def told(home: Path, *without: str) -> list[str]:
    parts = tuple(
        Part(name, "real", f"http://127.0.0.1:{port}" + ("/shop.git" if name == "git" else ""))
        for name, port in PORTS.items()
        if name not in without
    )
    return list(kept.told(State(1, "", "ready", control="http://127.0.0.1:6", parts=parts), home))


def test_the_board_the_metrics_the_alerts_and_the_webhooks_are_named(tmp_path: Path) -> None:
    text = "\n".join(told(tmp_path))
    for address in ("4/", "4/metrics", "5/alerts", "3", "4/webhooks/github"):
        assert f"http://127.0.0.1:{address}\n" in text
    assert "tidegate sandbox code ada" in text
    assert "/alerts" not in "\n".join(told(tmp_path, "prometheus"))


def test_its_commands_are_a_shells_and_hold_no_secret(tmp_path: Path) -> None:
    secrets = tmp_path / "sandbox" / "secrets"
    secrets.mkdir(parents=True)
    for name in ("git", "github-developer"):
        (secrets / name).write_text("s3cret")
    lines = told(tmp_path)
    assert "s3cret" not in "\n".join(lines)
    first = next(number for number, line in enumerate(lines) if "git clone" in line)
    clone, push, _, curl, url = (line.strip() for line in lines[first : first + 5])
    shell = f'git() {{ echo git "$@"; }}; cd() {{ :; }}; curl() {{ echo curl "$@"; }}\n{clone}\n{push}\n{curl}\n{url}'
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    cloned, committed, pushed, published = done.stdout.splitlines()
    assert cloned == "git clone http://tidegate:s3cret@127.0.0.1:1/shop.git shop"
    assert (committed, pushed) == ("git commit --allow-empty -m feat: something", "git push origin main")
    assert "Bearer s3cret http://127.0.0.1:2/repos/" in published


def test_what_it_is_started_with_is_accepted_by_the_sandbox() -> None:
    words = kept.options()
    rules = words[words.index("--rules") + 1] if "--rules" in words else None
    assert "--serve" in words
    Options(serve=True, prometheus="--prometheus" in words, rules=rules).check()
