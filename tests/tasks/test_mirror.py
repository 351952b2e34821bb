"""What lets git in: an App always, a token only to push, and neither at another place than GitHub's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.errors import Refused
from sandbox.gitserver import GitServer
from sandbox.services.github import GitHub, apps
from sandbox.shop import history
from tasks import mirror

Configure = Callable[..., None]


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHub]:
    hub = GitHub(history.build(tmp_path / "served" / "shop.git"), "acme/shop", {"ghp_t": "tidegate"})
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def configure(tmp_path: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Configure]:
    """Lays `github` over the settings; the repository is private, at `host`."""
    server = GitServer(tmp_path / "served", password="p", accepts=lambda token: github.login_of(token) is not None)
    await server.start()
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_t")
    monkeypatch.setenv("APP_KEY", github.app.private_key.replace("\n", "\\n"))

    def write(host: str = "127.0.0.1", **of_github: Any) -> None:
        address = server.address.replace("127.0.0.1", host)
        application = {"git": f"{address}/private/shop.git", "github": "acme/shop"}
        (tmp_path / "overlay").mkdir(exist_ok=True)
        overlay = {"application": application, "github": {"url": github.url, **of_github}}
        (tmp_path / "overlay" / "tidegate.yaml").write_text(yaml.safe_dump(overlay))

    yield write
    await server.stop()


APP = {"id": apps.ID, "installation": apps.INSTALLATION, "private_key": {"env": "APP_KEY"}}


async def test_an_app_reads_and_pushes(configure: Configure) -> None:
    configure(token=None, app=APP)
    assert await (await mirror.opened()).commit_of("main")
    assert await (await mirror.opened(pushing=True)).commit_of("main")


async def test_a_token_only_pushes(configure: Configure) -> None:
    configure()
    with pytest.raises(Refused, match="does not let this machine's git in"):
        await mirror.opened()
    assert await (await mirror.opened(pushing=True)).commit_of("main")


@pytest.mark.parametrize("of_github", [{}, {"token": None, "app": APP}])
async def test_another_host_than_githubs_gets_neither(configure: Configure, of_github: dict[str, Any]) -> None:
    configure("localhost", **of_github)
    with pytest.raises(Refused, match="does not let this machine's git in"):
        await mirror.opened(pushing=True)
