"""The control plane's binaries: found where they are, built once where they are not, with progress and reasons."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from release.errors import Unavailable
from sandbox import gotool
from sandbox.controlplane import build

NAMES = ("etcd", "kube-apiserver", "kube-controller-manager")
# Answers like Go: its version, the packages, and binaries named after their folders.
GO = """#!/bin/sh
echo "$@ | $GOFLAGS $GOTOOLCHAIN $CGO_ENABLED" >> {log}
case "$1" in
env) echo go1.26.8;;
list) printf 'a\\nb\\nc\\n'; mkdir -p "$GOCACHE";;
build)
  echo 'go: downloading x v1' >&2; printf 'a\\nb\\n' >&2
  {before}
  for name in server kube-apiserver kube-controller-manager; do echo binary > "{out}$name"; done;;
esac
"""


class FakeGo:
    def __init__(self, folder: Path, before: str = ":") -> None:
        self.log = folder / "calls"
        out = '$(echo "$@" | sed "s/.* -o \\([^ ]*\\) .*/\\1/")'
        program = GO.format(log=self.log, before=before, out=out)
        (folder / "go").write_text(program)
        (folder / "go").chmod(0o755)

    def builds(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith("build")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path / "bin"


def executables(folder: Path, names: tuple[str, ...]) -> None:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


async def test_assets_are_taken_when_all_three_are_there(tmp_path, folder, monkeypatch) -> None:
    go = FakeGo(folder)
    executables(tmp_path / "assets", NAMES)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    found = await build.ensure(tmp_path / "cache", print)
    assert found.apiserver == tmp_path / "assets" / "kube-apiserver"
    assert not go.log.exists()


async def test_assets_without_the_controllers_do_not_do(tmp_path, folder, monkeypatch) -> None:
    FakeGo(folder)
    executables(tmp_path / "assets", NAMES[:2])
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "assets"))
    found = await build.ensure(tmp_path / "cache", print)
    assert found.apiserver.is_relative_to(tmp_path / "cache")


async def test_it_is_built_once_by_all_who_ask_at_the_same_time(tmp_path: Path, folder: Path) -> None:
    go, said = FakeGo(folder, before="sleep 0.3"), []
    cache = tmp_path / "cache"
    results = await asyncio.gather(*(build.ensure(cache, said.append) for _ in range(3)))
    assert await build.ensure(cache, said.append) == results[0] == results[2]
    assert results[0].etcd.read_text() == "binary\n"
    [call] = go.builds()
    assert f"gitVersion={build.VERSION}" in call
    assert call.endswith("-mod=readonly -buildvcs=false local 0")
    assert any("2 of 3 packages compiled" in line for line in said)
    assert any("waiting" in line for line in said)
    left = [path.name for path in (cache / "controlplane").iterdir() if not path.name.endswith(".lock")]
    assert left == [results[0].etcd.parent.name]


async def test_a_failed_build_says_why_and_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    FakeGo(folder, before="echo 'dial tcp: no route to host' >&2; exit 1")
    with pytest.raises(Unavailable, match="no route to host"):
        await build.ensure(tmp_path / "cache", print)
    assert [path.suffix for path in (tmp_path / "cache" / "controlplane").iterdir()] == [".lock"]


async def test_a_build_that_is_interrupted_leaves_nothing_and_starts_anew(tmp_path, folder) -> None:
    cache = tmp_path / "cache"
    FakeGo(folder, before="sleep 60")
    building = asyncio.create_task(build.ensure(cache, print))
    await asyncio.sleep(0.5)
    building.cancel()
    await asyncio.gather(building, return_exceptions=True)
    assert [path.suffix for path in (cache / "controlplane").iterdir()] == [".lock"]
    FakeGo(folder)
    assert (await build.ensure(cache, print)).etcd.exists()


def test_what_decides_the_result_decides_the_folder() -> None:
    here = Path(build.HERE)
    assert build._key(here, "a") != build._key(here, "b")
    assert build._key(here, "a") != build._key(here / "gatewayapi", "a")


async def test_an_old_go_is_not_new_enough(folder: Path) -> None:
    (folder / "go").write_text("#!/bin/sh\necho go1.25.9\n")
    (folder / "go").chmod(0o755)
    assert await gotool._version(str(folder / "go")) < gotool.OLDEST
