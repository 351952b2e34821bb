"""Tidegate as an installation of a GitHub App, at the simulated GitHub and its git server."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from github_world import NAME, World, new_world
from githubkit import AppInstallationAuthStrategy
from githubkit import GitHub as Kit

from clients.git import Repository
from clients.gitcommand import Credential
from clients.github import GitHub
from clients.github_app import App
from release import doctor
from release.errors import Refused, Unavailable
from sandbox.gitserver import GitServer
from sandbox.services.github import apps
from sandbox.services.github.shapes import Shapes

OWNER, REPO = NAME.split("/")


@pytest.fixture
def app(world: World) -> App:
    return App(str(apps.ID), apps.INSTALLATION, world.github.app.private_key)


async def test_what_the_app_does_is_the_apps(world: World, app: App) -> None:
    async with GitHub(world.github.url, app, NAME) as github:
        number = await github.create_deployment("main", "staging", "d", production=False, payload={})
        await github.deployment_status(number, "success", description="d", environment_url="", log_url="")
        given = await github.permissions()
    (made,) = world.github.state.deployments
    assert (made.creator, made.statuses[0].creator) == ("tidegate[bot]", "tidegate[bot]")
    assert doctor.github_app(NAME, given).grade == "ok"


async def test_its_answers_parse_with_githubkits_models(world: World, app: App) -> None:
    strategy = AppInstallationAuthStrategy(app.id, app.private_key, app.installation)
    kit: Kit[Any] = Kit(strategy, base_url=world.github.url, http_cache=False, trust_env=False)
    async with kit:
        assert (await kit.rest.apps.async_get_installation(app.installation)).parsed_data.app_slug == "tidegate"
        made = await kit.rest.apps.async_create_installation_access_token(app.installation)
        assert made.parsed_data.repositories[0].full_name == NAME


async def test_git_gets_a_token_that_is_kept_and_lets_it_into_a_private_repository(world: World, app: App) -> None:
    async with GitHub(world.github.url, app, NAME) as github:
        token = await github.git_token()
    async with GitHub(world.github.url, app, NAME) as github:
        assert await github.git_token() == token
    server = GitServer(world.bare.parent, password="p", accepts=lambda one: world.github.login_of(one) is not None)
    await server.start()
    url, folder = f"{server.address}/private/{world.bare.name}", world.bare.parent / "mirror"
    try:
        with pytest.raises(Refused, match="does not let this machine's git in"):
            await Repository.open(url, folder)
        with pytest.raises(Refused, match="does not let git in with github.app") as refused:
            await Repository.open(url, folder, credential=Credential("x-access-token", "ghs_wrong", "github.app"))
        assert refused.value.field == "github.app"
        mirror = await Repository.open(url, folder, credential=Credential("x-access-token", token))
        assert await mirror.commit_of("main") == world.sha("main")
    finally:
        await server.stop()


async def test_what_is_wrong_is_told_by_its_setting(world: World, app: App) -> None:
    other = apps.App(Shapes(NAME, "main"))
    wrong = {
        "github.app.private_key": replace(app, private_key=other.private_key),
        "github.app.installation": replace(app, installation=1),
    }
    for field, one in wrong.items():
        async with GitHub(world.github.url, one, NAME) as github:
            for call in (github.release("v1.0.0"), github.git_token()):
                with pytest.raises(Refused) as refused:
                    await call
                assert refused.value.field == field
                assert "PRIVATE KEY" not in str(refused.value)
    async with GitHub(world.github.url, app, "acme/other") as github:
        with pytest.raises(Refused, match="does not reach acme/other") as refused:
            await github.release("v1.0.0")
    assert refused.value.field == "application.github"


@pytest.mark.parametrize("changed", [{"exp": 3600}, {"iss": "1"}, {"iat": None}])
async def test_what_the_key_signed_is_checked(world: World, app: App, changed: dict[str, Any]) -> None:
    now = int(time.time())
    claims = {"iss": app.id, "iat": now - 60, "exp": now + 300}
    assert world.github.app.check(jwt.encode(claims, app.private_key, "RS256")) == "tidegate[bot]"
    claims |= {key: now + value if isinstance(value, int) else value for key, value in changed.items()}
    claims = {key: value for key, value in claims.items() if value is not None}
    with pytest.raises(Exception, match="JSON web token|too far"):
        world.github.app.check(jwt.encode(claims, app.private_key, "RS256"))


async def test_an_app_is_held_to_its_rate_limit(tmp_path: Path) -> None:
    async with new_world(tmp_path, limit=2) as world:
        app = App(str(apps.ID), apps.INSTALLATION, world.github.app.private_key)
        async with GitHub(world.github.url, app, NAME) as github:
            await github.release("v1.0.0")
            with pytest.raises(Unavailable, match="rate limit is reached"):
                await github.release("v1.0.0")
