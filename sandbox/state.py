"""What a sandbox's folder says about it: who runs it, since when, where its parts are.

The lock file is held for as long as the supervisor lives, so that a process id can never be mistaken for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Phase = Literal["starting", "ready", "failed", "stopping"]
Kind = Literal["real", "SIMULATED"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the sandbox. `seconds` is how long its start took, `detail` a few words for a person."""

    name: str
    kind: Kind
    address: str = ""
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process the sandbox started. `born` (clock ticks since boot) tells it from a later one of that id."""

    name: str
    pid: int
    born: int


@dataclass(frozen=True, slots=True)
class State:
    """state.json. `control` is the address of the page and the control API, `error` why the start failed."""

    pid: int
    started: str
    phase: Phase
    control: str = ""
    kubeconfig: str = ""
    kubectl: str = ""
    speed: float = 1.0
    error: str = ""
    ready_after: float = 0.0
    parts: tuple[Part, ...] = ()
    processes: tuple[Process, ...] = ()


def folder(home: Path) -> Path:
    """Everything of the sandbox that is not the overlay."""
    return home / "sandbox"


def write(home: Path, state: State) -> None:
    """Replace state.json in one step."""
    path = folder(home) / "state.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(state), indent=1) + "\n")
    new.replace(path)


def read(home: Path) -> State | None:
    """The last state that was written, None without one: see `holder` for whether it still holds."""
    try:
        data: dict[str, Any] = json.loads((folder(home) / "state.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    data["parts"] = tuple(Part(**part) for part in data["parts"])
    data["processes"] = tuple(Process(**process) for process in data["processes"])
    return State(**data)


def forget(home: Path) -> None:
    """What ended in order has no state."""
    (folder(home) / "state.json").unlink(missing_ok=True)


def acquire(home: Path) -> int | None:
    """Become this folder's supervisor: an open file to keep, or None while another one lives."""
    folder(home).mkdir(parents=True, exist_ok=True)
    file = os.open(folder(home) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    os.ftruncate(file, 0)
    os.write(file, str(os.getpid()).encode())
    return file


def holder(home: Path) -> int | None:
    """The process id of the living supervisor, None where there is none."""
    path = folder(home) / "lock"
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        with contextlib.suppress(ValueError):
            return int(path.read_text())
        return None
    finally:
        os.close(file)
    return None


def process(name: str, pid: int) -> Process:
    """The process as it is now."""
    return Process(name, pid, _born(pid))


def alive(process: Process) -> bool:
    """Whether that very process still runs; a zombie does not."""
    return _born(process.pid) == process.born != 0


def guards(home: Path) -> tuple[Process, ...]:
    """The guards that releases at the command line left behind in this folder, those that live."""
    found = []
    for file in (home / "work" / "guard").glob("*.pid"):
        with contextlib.suppress(ValueError, FileNotFoundError, ProcessLookupError):
            one = process("guard", int(file.read_text()))
            if b"guard" in Path(f"/proc/{one.pid}/cmdline").read_bytes().split(b"\0"):
                found.append(one)
    return tuple(found)


def _born(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])
