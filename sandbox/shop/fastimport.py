"""A git history written in one go by `git fast-import`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from release.errors import TidegateError

_AUTHOR = "Ada Shop <ada@shop.example>"


@dataclass(frozen=True)
class Commit:
    """`files` are written over what the branch has; `at` is in seconds since 1970; `base` is a branch or tag."""

    branch: str
    message: str
    files: Mapping[str, str]
    at: int
    base: str | None = None


@dataclass(frozen=True)
class Tag:
    """An annotated tag on what `branch` is at this point of the history."""

    name: str
    branch: str
    at: int


def stream(items: Sequence[Commit | Tag]) -> bytes:
    """The items, in order, as fast-import reads them."""
    marks: dict[str, str] = {}
    lines: list[bytes] = []
    for number, item in enumerate(items, 1):
        if isinstance(item, Tag):
            marks[item.name] = marks[item.branch]
            lines.append(f"tag {item.name}\nfrom {marks[item.branch]}\ntagger {_AUTHOR} {item.at} +0000\n".encode())
            lines.append(_data(f"Release {item.name}"))
            continue
        start = marks.get(item.branch) or marks.get(item.base or "") or _existing(item.base)
        marks[item.branch] = f":{number}"
        lines.append(f"commit refs/heads/{item.branch}\nmark :{number}\n".encode())
        lines.append(f"author {_AUTHOR} {item.at} +0000\ncommitter {_AUTHOR} {item.at} +0000\n".encode())
        lines.append(_data(item.message + "\n"))
        lines.append(f"from {start}\n".encode() if start else b"")
        lines += _files(item.files)
    return b"".join(lines) + b"done\n"


def _existing(ref: str | None) -> str | None:
    if ref is None:
        return None
    kind = "tags" if ref.startswith("v") and ref[1:2].isdigit() else "heads"
    return f"refs/{kind}/{ref}^0"


def _files(files: Mapping[str, str]) -> Iterable[bytes]:
    for path, text in sorted(files.items()):
        yield f"M 100644 inline {path}\n".encode()
        yield _data(text)


def _data(text: str) -> bytes:
    encoded = text.encode()
    return b"data %d\n%s\n" % (len(encoded), encoded)


def load(bare: Path, commands: bytes) -> None:
    """Feed the stream to the bare repository. Raises TidegateError with git's words when it does not take it."""
    git(bare, "fast-import", "--quiet", "--done", "--date-format=raw", stdin=commands)


def date_of(bare: Path, ref: str) -> int:
    """When the commit was made, in seconds since 1970."""
    return int(git(bare, "log", "-1", "--format=%ct", ref))


def git(folder: Path, *words: str, stdin: bytes | None = None) -> str:
    """Run git in `folder`, without the user's own configuration, so that the history is always the same."""
    alone = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(["git", *words], cwd=folder, input=stdin, capture_output=True, env=kept | alone, check=False)
    if done.returncode:
        raise TidegateError(f"git {words[0]} failed: {done.stderr.decode(errors='replace').strip()[-400:]}")
    return done.stdout.decode()
