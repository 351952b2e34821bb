"""Makes the one virtual environment that every target shares, with nothing but Python 3.11+ and a registry.

Standard library only, and safe to run again: it does nothing when the lock file and the project are unchanged. With
`--this-python`, which make gives where PYTHON is set, an environment of another version is made anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".installed"


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where an older Python is told so
        print(f"Tidegate needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.", file=sys.stderr)
        print("Next: make PYTHON=/path/to/python3.11 ...", file=sys.stderr)
        return 2
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if "--this-python" in sys.argv[1:] and of_another(VENV):
        shutil.rmtree(VENV)
    if STAMP.is_file() and STAMP.read_text() == f"{ROOT} {wanted}" and PYTHON.exists():
        return 0
    began = time.monotonic()
    print("Setting up .venv from requirements.lock ...", flush=True)
    create()
    install()
    STAMP.write_text(f"{ROOT} {wanted}")
    print(f".venv is ready after {time.monotonic() - began:.0f} s.", flush=True)
    return 0


def of_another(environment: Path) -> bool:
    """Whether it was made with another version of Python than this one."""
    about = environment / "pyvenv.cfg"
    lines = about.read_text().splitlines() if about.is_file() else []
    versions = [line.partition("=")[2].strip() for line in lines if line.startswith("version")]
    return bool(versions) and versions[0] != ".".join(map(str, sys.version_info[:3]))


def create() -> None:
    """The environment, with pip; Debian's Python may lack ensurepip, and may lack pip itself."""
    if quiet([str(PYTHON), "-m", "pip", "--version"]):
        return  # only the lock file changed: what it holds is installed over what is there
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.create(VENV, with_pip=True, symlinks=True)
    except (subprocess.CalledProcessError, ImportError):
        shutil.rmtree(VENV, ignore_errors=True)
    else:
        return
    venv.create(VENV, with_pip=False, symlinks=True)
    if quiet([sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "pip"]):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("This Python has neither ensurepip nor pip: installing Debian's python3-venv ...", flush=True)
        run(["apt-get", "update", "-qq"])
        run(["apt-get", "install", "-y", "-qq", "python3-venv", "python3-pip"])
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, with_pip=False, symlinks=True)
        run([sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "pip"])
        return
    sys.exit("This Python has neither ensurepip nor pip. Next: install python3-venv, then run make again.")


def install() -> None:
    """Everything in the lock file, hashes checked: by uv where it has a wheel, which is faster, else by pip."""
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "-q", "--python", str(PYTHON)]
    hashed = ["--require-hashes", "-r", str(LOCK)]
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(locked("uv"))
        fast = quiet([*pip, "--no-deps", "--require-hashes", "-r", str(only_uv)]) and quiet([*uv, *hashed])
    if not fast:
        run([*pip, *hashed])
    run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])


def locked(name: str) -> str:
    """A package's entry of the lock file, with its hashes."""
    lines, taking = [], False
    for line in LOCK.read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            taking = line.startswith(f"{name}==")
        if taking and not line.lstrip().startswith("#"):
            lines.append(line)
    return "\n".join(lines) + "\n"


def quiet(argv: list[str]) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run(argv: list[str]) -> None:
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    sys.exit(main())
