"""A build context as a tar archive whose bytes depend on the files alone: not on owners, times or the umask."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from docker.utils.build import exclude_paths

from release.errors import Refused

# 1980-01-01, the first day that zip archives can name: tools that pack what they find here would fail at 0.
_TIME = 315532800


def dockerfile_in(context: Path, name: str) -> str:
    """The text of the Dockerfile. Raises Refused unless it is a file within the context."""
    path = (context / name).resolve()
    if not path.is_relative_to(context.resolve()) or not path.is_file():
        raise Refused(
            f"There is no Dockerfile {name!r} in the build context.",
            field="image.dockerfile",
            next_step="name a file within image.context in the application's tidegate.yaml",
        )
    return path.read_text(encoding="utf-8")


def pack(context: Path, dockerfile: str, prefix: str = "") -> bytes:
    """The context's files without what its .dockerignore excludes, as a tar; names start with `prefix`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(exclude_paths(str(context), _excluded(context), dockerfile=dockerfile)):
            if name:
                _add(archive, context / name, f"{prefix}{Path(name).as_posix()}")
    return buffer.getvalue()


def _excluded(context: Path) -> list[str]:
    """The patterns of .dockerignore, as Docker reads it."""
    path = context / ".dockerignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    # None for a socket, which an archive cannot hold.
    info = archive.gettarinfo(path, arcname=name)
    if info is None:
        return
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = _TIME
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    if info.isfile():
        with path.open("rb") as content:
            archive.addfile(info, content)
    else:
        archive.addfile(info)
