"""The commands that the sample application's tidegate.yaml names, run as Tidegate runs them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from clients import process
from clients.git import Repository
from release import appfile, results
from sandbox.shop import history

TIMEOUT = 30.0


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    bare = history.build(folder / "shop.git")

    async def checkout() -> Path:
        mirror = await Repository.open(str(bare), folder / "mirror.git")
        return await mirror.checkout("main", folder / "main")

    return asyncio.run(checkout())


@pytest.fixture(scope="module")
def application(shop: Path) -> appfile.AppFile:
    return appfile.parse(yaml.safe_load((shop / "tidegate.yaml").read_text()))


async def command(shop: Path, application: appfile.AppFile, name: str, **variables: str) -> process.Completed:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return await process.run(application.commands[name], cwd=shop, env={"PATH": path, **variables}, timeout=TIMEOUT)


@asynccontextmanager
async def answering(pages: dict[str, tuple[int, object]]) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        status, body = pages.get(request.path, (404, {}))
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def deployed(version: str = "1.4.0", environment: str = "production") -> dict[str, tuple[int, object]]:
    about = {"version": version, "environment": environment}
    return {"/": (200, about), "/health": (200, {"status": "ok"}), "/version": (200, about)}


def test_every_command_is_named(application: appfile.AppFile):
    assert set(application.commands) == set(appfile.COMMANDS)


async def test_the_tests_pass_and_are_quick(shop: Path, application: appfile.AppFile):
    started = time.monotonic()
    for name in ("unit", "integration", "e2e"):
        done = await command(shop, application, name)
        assert done.code == 0, done.stderr
        assert "\nOK\n" in done.stderr
        assert "Ran 0 tests" not in done.stderr
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("name", ["install", "lint", "integration-critical", "critical", "security", "audit", "sast"])
async def test_the_other_checks_pass(shop: Path, application: appfile.AppFile, name: str):
    done = await command(shop, application, name)
    assert done.code == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["smoke", "smoke-production", "acceptance", "load", "performance"])
class TestLive:
    async def test_the_expected_version_passes(self, shop: Path, application: appfile.AppFile, name: str):
        async with answering(deployed()) as url:
            done = await command(shop, application, name, **variables(url))
        assert done.code == 0, done.stderr
        assert done.stdout.startswith("ok: ")

    async def test_another_version_fails(self, shop: Path, application: appfile.AppFile, name: str):
        async with answering(deployed("1.3.0")) as url:
            done = await command(shop, application, name, **variables(url))
        assert done.code == 1
        assert "/version is '1.3.0', expected '1.4.0'" in done.stderr

    async def test_nobody_there_fails(self, shop: Path, application: appfile.AppFile, name: str):
        done = await command(shop, application, name, **variables("http://127.0.0.1:9"))
        assert done.code == 1
        assert "failed: " in done.stderr
        assert "Traceback" not in done.stderr

    async def test_the_key_is_not_shown(self, shop: Path, application: appfile.AppFile, name: str):
        async with answering({}) as url:
            done = await command(shop, application, name, **variables(url), API_KEY="hidden-word")
        assert done.code == 1
        assert "hidden-word" not in done.stdout + done.stderr

    async def test_settings_are_needed(self, shop: Path, application: appfile.AppFile, name: str):
        done = await command(shop, application, name, API_URL="http://127.0.0.1:9")
        assert done.code == 1
        assert "EXPECTED_VERSION is not set" in done.stderr


def variables(url: str) -> dict[str, str]:
    return {"API_URL": url, "EXPECTED_VERSION": "1.4.0", "LOAD_SECONDS": "0.2"}


async def test_production_smoke_needs_production(shop: Path, application: appfile.AppFile):
    async with answering(deployed(environment="staging")) as url:
        done = await command(shop, application, "smoke-production", **variables(url))
    assert done.code == 1
    assert "environment 'staging', expected 'production'" in done.stderr


async def test_load_counts_failures(shop: Path, application: appfile.AppFile):
    async with answering(deployed() | {"/": (500, {"error": "x"})}) as url:
        done = await command(shop, application, "load", **variables(url))
    assert done.code == 1
    assert "10 of 10 requests failed" in done.stderr


@pytest.mark.parametrize(
    ("dependency", "audited", "severity", "level", "code"),
    [
        ("left-pad==1.0  # pads", ["left-pad==1.0"], None, "moderate", 0),
        ("left-pad==1.0", [], None, "moderate", 1),
        ("left-pad", ["left-pad==1.0"], None, "moderate", 1),
        ("left-pad==1.0", ["left-pad==1.0"], "low", "moderate", 0),
        ("left-pad==1.0", ["left-pad==1.0"], "low", "low", 1),
        ("left-pad==1.0", ["left-pad==1.0"], "moderate", "moderate", 1),
        ("left-pad==1.0", ["left-pad==1.0"], "moderate", "high", 0),
    ],
)
async def test_the_audit(
    shop: Path, tmp_path: Path, dependency: str, audited: list[str], severity: str | None, level: str, code: int
):
    found = {"package": "left-pad", "version": "1.0", "severity": severity, "text": "it is gone"}
    (tmp_path / "requirements.txt").write_text(dependency + "\n")
    (tmp_path / "advisories.json").write_text(json.dumps({"audited": audited, "advisories": [found] * bool(severity)}))
    files = [str(tmp_path / name) for name in ("requirements.txt", "advisories.json")]
    words = [sys.executable, "-m", "tools.audit", *files]
    assert (await process.run(words, cwd=shop, env={"AUDIT_LEVEL": level}, timeout=TIMEOUT)).code == code


async def test_the_scan_is_bandit_s(shop: Path, application: appfile.AppFile, tmp_path: Path):
    """What the shop's own few checks, for where bandit is missing, do not know."""
    copy = tmp_path / "shop"
    shutil.copytree(shop, copy)
    (copy / "shop/weak.py").write_text("import hashlib\n\nNAME = hashlib.md5(b'mug').hexdigest()\n")
    done = await command(copy, application, "sast")
    assert done.code == 1
    assert done.stdout.startswith("shop/weak.py:3: B324: ")
    assert "bandit is not installed" not in done.stdout


async def test_the_tests_leave_results(shop: Path, application: appfile.AppFile):
    for name in ("unit", "integration", "e2e"):
        await command(shop, application, name)
        found = results.junit((shop / f"test-results-{name}.xml").read_text())
        assert found.count > 0
        assert found.bad == ()
    assert 20 < results.coverage((shop / "coverage.xml").read_text()).percent < 100


async def test_what_fails_is_in_the_results(shop: Path, application: appfile.AppFile, tmp_path: Path):
    copy = tmp_path / "shop"
    shutil.copytree(shop, copy)
    (copy / "tests/unit/test_bad.py").write_text(
        "import unittest\n\n\nclass Bad(unittest.TestCase):\n"
        "    def test_sums(self):\n        self.assertEqual(1 + 1, 3)\n\n"
        "    def test_parts(self):\n        with self.subTest():\n            raise ValueError('\\x00 odd')\n\n"
        "    @unittest.skip('later')\n    def test_later(self):\n        pass\n\n\n"
        "class Fixture(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n"
        "        raise OSError('gone')\n\n"
        "    def test_never(self):\n        pass\n"
    )
    assert (await command(copy, application, "unit")).code == 1
    found = results.junit((copy / "test-results-unit.xml").read_text())
    assert {case.name.rpartition(".")[2]: case.message for case in found.bad} == {
        "test_sums": "AssertionError: 2 != 3",
        "test_parts": "ValueError:   odd",
        "Fixture)": "OSError: gone",
    }
    assert found.skipped == 1
    assert (copy / "coverage.xml").exists()


def test_commands_need_no_shell(application: appfile.AppFile):
    for words in application.commands.values():
        assert not set(" ".join(words)) & set("|;&$<>`")
