"""Which helm a target uses: the settings' own, PATH's where it fits, else the pinned one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clients import tools
from release.errors import Refused
from tasks import context, offered


def put(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "helm").write_text(f"#!/bin/sh\necho {version}\n")
    (folder / "helm").chmod(0o755)
    return folder / "helm"


@pytest.fixture(autouse=True)
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache in which the pinned helm lies already."""
    monkeypatch.setenv("TIDEGATE_CACHE", str(tmp_path / "cache"))
    put(tmp_path / "cache" / "tools" / tools._VERSION, "v4.3.1")


@pytest.mark.parametrize(("there", "used"), [(None, "v4.3.1"), ("v3.19.0", "v4.3.1"), ("v4.0.1", "v4.0.1")])
async def test_where_none_is_named_the_pinned_one_stands_in_for_one_that_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str | None, used: str
) -> None:
    if there is not None:
        put(tmp_path / "bin", there)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    helm = await context.helm()
    assert await helm.version() == used
    await offered.require_helm(helm)


async def test_one_that_is_named_is_taken_and_refused_where_it_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGATE__HELM", str(put(tmp_path / "own", "v3.19.0+g3d8990f")))
    with pytest.raises(Refused, match="v3.19.0 is not version 4") as raised:
        await offered.require_helm(await context.helm())
    assert raised.value.field == "helm"
