"""A whole release as an installation of a GitHub App, from a private repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import ask
import pytest
import yaml
from desk import Desk, release
from look import Look

from sandbox.services.github import apps
from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow
_TOKEN = re.compile(rb"ghs_[\w-]{20}|x-access-token:|PRIVATE KEY")


def as_app(desk: Desk) -> Path:
    """A home whose Tidegate has no token, and whose repository lets nobody in without one."""
    settings = yaml.safe_load((desk.home / "overlay" / "tidegate.yaml").read_text())
    key = {"file": str(desk.home / "sandbox" / "secrets" / "github-app")}
    app = {"id": apps.ID, "installation": apps.INSTALLATION, "private_key": key}
    settings["github"] |= {"token": None, "app": app}
    settings["application"]["git"] = settings["application"]["git"].replace("/shop.git", "/private/shop.git")
    return desk.variant(tidegate=yaml.safe_dump(settings))


def test_a_release_as_an_app(desk: Desk, look: Look, another: str) -> None:
    home = as_app(desk)
    result = desk.tidegate(*release(another), home=home)
    assert (result.code, result.word) == (0, "released"), result.text
    commit = git(desk.bare, "rev-parse", another + "^{commit}").strip()
    found = sorted(ask.github("GET", f"deployments?sha={commit}&per_page=100"), key=lambda one: int(one["id"]))
    newest = {one["environment"]: one for one in found}
    for region in look.live():
        made = newest[f"production-{region}"]
        told = ask.github("GET", f"deployments/{made['id']}/statuses")
        assert made["payload"]["run"] == result.outcome["run"]
        assert [one["state"] for one in told] == ["success", "in_progress"]
        assert {made["creator"]["login"], *(one["creator"]["login"] for one in told)} == {apps.LOGIN}
    written = "\n".join([result.text, *ask.log(result.outcome["run"])])
    assert not _TOKEN.search(written.encode())
    assert [
        str(path) for path in _files(home, desk.home / "sandbox" / "logs") if _TOKEN.search(path.read_bytes())
    ] == []


def test_the_doctor_looks_at_what_the_app_may(desk: Desk) -> None:
    found = desk.tidegate("doctor", "--json", home=as_app(desk))
    graded = {(one["about"], one["what"]): one["grade"] for one in found.outcome["findings"]}
    assert (graded["github", "app"], graded["git", "repository"]) == ("ok", "ok"), found.text


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())
