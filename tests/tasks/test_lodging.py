"""As whom an application's commands run: a user of their own finds nothing of Tidegate's. Only root may start them;
anybody else is told so."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

from release.errors import Refused
from tasks import lodging, quality, source
from tasks.command import application_file

USER = "nobody"
ROOT = os.geteuid() == 0
# What a branch could try: the worker's environment, its kubeconfig, its groups, and a place of its own.
UNIT = """
{
  echo "user $(id -u)"; echo "groups $(id -G)"; echo "mode $MODE"; echo "token $TOKEN"
  echo "worker $(tr -d '\\0' < /proc/$PPID/environ || echo denied)"
  echo "kubeconfig $(cat ../kubeconfig || echo denied)"
} > found 2> errors
echo mine > "$HOME/cache"
echo unit >> installed
echo "<testsuite name='u'><testcase classname='c' name='n'/></testsuite>" > test-results.xml
"""
FILE = """
name: shop
commands: {install: sh -c 'echo install > installed', unit: sh unit.sh}
results: {junit: test-results.xml}
"""


@pytest.fixture
def checkout(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout where everybody can get to, beside a kubeconfig that only its owner reads."""
    monkeypatch.setenv("TIDEGATE__CHECKS__AS", f"user:{USER}")
    monkeypatch.setenv("TOKEN", "s3cret")
    folder = Path(tempfile.mkdtemp(prefix="tidegate-lodging-"))
    folder.chmod(0o711)
    made = folder / "source"
    made.mkdir()
    (folder / "kubeconfig").write_text("token: s3cret")
    (folder / "kubeconfig").chmod(0o600)
    (made / "unit.sh").write_text(UNIT)
    (made / "tidegate.yaml").write_text(FILE)
    with disable_run_logger():
        yield made
    shutil.rmtree(folder)


async def test_a_test_finds_nothing_of_the_workers(checkout: Path) -> None:
    if not ROOT:
        with pytest.raises(Refused, match=f"only root may run commands as {USER}"):
            await source.run_command.fn("install", checkout, {})
        return
    before = sorted(path.name for path in checkout.iterdir())
    await source.run_command.fn("install", checkout, {})
    copy, results = checkout.with_name("source-unit"), checkout.with_name("results")
    await lodging.copied(await lodging.of(checkout), copy)
    app = application_file(checkout)
    checked = await quality._command.fn("unit", app, copy, results, {"MODE": "test"})
    assert checked.passed, checked
    assert sorted(path.name for path in checkout.iterdir()) == before, "what is built is what was checked out"
    assert (copy / "installed").read_text() == "install\nunit\n"
    account = pwd.getpwnam(USER)
    found = dict(line.partition(" ")[::2] for line in (copy / "found").read_text().splitlines())
    assert found == {
        "user": str(account.pw_uid),
        "groups": str(account.pw_gid),
        "mode": "test",
        "token": "",
        "worker": "denied",
        "kubeconfig": "denied",
    }
    assert (checkout.with_name(f"home-of-{USER}") / "cache").read_text() == "mine\n"
    assert not (copy / "test-results.xml").exists(), "no other command takes them for its own"
    assert (results / "test-results.xml").stat().st_uid == os.geteuid()


async def test_a_link_among_the_results_leads_to_nothing_of_ours(checkout: Path) -> None:
    if not ROOT:
        return
    copy, kept = checkout.with_name("source-unit"), checkout.with_name("results") / "found"
    await lodging.copied(await lodging.of(checkout), copy)
    # As if it had been put there after the look at the file.
    (copy / "found").symlink_to(checkout.with_name("kubeconfig"))
    await lodging.take(copy / "found", kept, 1000)
    assert kept.read_text() == ""
    assert "s3cret" in checkout.with_name("kubeconfig").read_text()


async def test_a_new_checkout_is_a_new_copy(checkout: Path) -> None:
    if not ROOT:
        return
    await source.run_command.fn("install", checkout, {})
    assert (await lodging.of(checkout) / "installed").exists()
    lodging.forget(checkout)
    assert not (await lodging.of(checkout) / "installed").exists()


async def test_a_folder_that_the_user_cannot_reach_is_said(checkout: Path) -> None:
    if not ROOT:
        return
    checkout.parent.chmod(0o700)
    with pytest.raises(Refused, match="cannot reach") as raised:
        await source.run_command.fn("install", checkout, {})
    assert raised.value.field == "checks.as"


@pytest.mark.parametrize(("name", "says"), [("nobody-at-all", "has no user"), ("root", "root")])
async def test_who_cannot_be_meant_is_refused(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setenv("TIDEGATE__CHECKS__AS", f"user:{name}")
    with pytest.raises(Refused, match=says) as raised:
        await source.run_command.fn("install", checkout, {})
    assert raised.value.field == "checks.as"
