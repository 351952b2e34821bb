"""GitHub's failures, told apart at the transport."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from github_clock import Clock

from clients.address import at_github
from clients.github import GitHub
from clients.github_app import App
from release.errors import Refused, TidegateError, Unavailable

TOKEN = "ghp_secret"


def github(answer: Callable[[httpx.Request], httpx.Response], token: str = TOKEN, clock: Clock | None = None) -> GitHub:
    transport = httpx.MockTransport(answer)
    return GitHub("https://api.github.example", token, "acme/shop", limit=(clock or Clock()).limit, transport=transport)


async def failed(answer: Callable[[httpx.Request], httpx.Response]) -> TidegateError:
    with pytest.raises(TidegateError) as error:
        async with github(answer) as client:
            await client.create_deployment("main", "staging", "d", production=True, payload={})
    assert TOKEN not in str(error.value)
    return error.value


def answering(status: int, body: Any = None, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, json=body if body is not None else {"message": "Said."}, headers=named)


async def test_githubs_defaults_are_switched_off_in_what_is_sent() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, json={"id": 7})

    async with github(answer, f" {TOKEN}\n") as client:
        number = await client.create_deployment("v1.4.0", "production-us-east-1", "d", production=True, payload={})
    body = json.loads(sent[0].content)
    assert number == 7
    assert (body["auto_merge"], body["required_contexts"], body["production_environment"]) == (False, [], True)
    assert sent[0].url.path == "/repos/acme/shop/deployments"
    assert sent[0].headers["Authorization"] == f"token {TOKEN}"


async def test_401_and_403_name_the_token_and_what_it_lacks() -> None:
    error = await failed(answering(401, {"message": "Bad credentials"}))
    assert isinstance(error, Refused)
    assert error.field == "github.token"
    error = await failed(answering(403, x_accepted_github_permissions="deployments=write"))
    assert isinstance(error, Refused)
    assert error.field == "github.token"
    assert "deployments=write" in str(error.next_step)


async def test_404_names_the_repository_and_a_lookup_finds_nothing() -> None:
    error = await failed(answering(404))
    assert isinstance(error, Refused)
    assert error.field == "application.github"
    async with github(answering(404)) as client:
        assert await client.release("v1.4.0") is None


async def test_422_is_told_in_githubs_own_words() -> None:
    errors = [{"resource": "Release", "field": "tag_name", "code": "invalid"}, {"message": "Too long"}, "plain"]
    error = await failed(answering(422, {"message": "Validation Failed", "errors": errors}))
    assert isinstance(error, Refused)
    assert "Validation Failed; Release tag_name invalid; Too long; plain" in str(error)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"retry_after": "60"}),
        (429, {"retry_after": "60"}),
        (403, {"x_ratelimit_remaining": "0", "retry_after": "60"}),
    ],
)
async def test_rate_limits_say_when_to_try_again(status: int, headers: dict[str, str]) -> None:
    error = await failed(answering(status, **headers))
    assert isinstance(error, Unavailable)
    assert error.next_step == "Try again in 60 s."


@pytest.mark.parametrize(
    "answer",
    [
        answering(500),
        answering(503, "text"),
        answering(429),
        answering(403, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"),
        answering(201, {"number": 7}),
        answering(201, [1]),
        lambda _: httpx.Response(201, text="<html>a proxy</html>"),
    ],
)
async def test_what_is_no_answer_of_github_is_unavailable(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    assert isinstance(await failed(answer), Unavailable)


@pytest.mark.parametrize("cause", [httpx.ReadTimeout, httpx.ConnectError, httpx.RemoteProtocolError])
async def test_no_answer_is_unavailable_and_asked_once(cause: type[httpx.TransportError]) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise cause(f"token {TOKEN}")

    assert isinstance(await failed(answer), Unavailable)
    assert len(asked) == 1


@pytest.mark.parametrize("token", ["", " ", "two words", "line\nbreak", "ünicode"])
def test_a_token_that_cannot_be_one_is_refused_before_it_is_sent(token: str) -> None:
    with pytest.raises(Refused) as refused:
        github(answering(200), token)
    assert refused.value.field == "github.token"
    assert token.strip() == "" or token not in str(refused.value)


@pytest.mark.parametrize("key", ["", "a key", "-----BEGIN RSA PRIVATE KEY-----\nhidden\n-----END RSA PRIVATE KEY-----"])
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(Refused) as refused:
        GitHub("https://api.github.example", App("1", 2, key), "acme/shop")
    assert refused.value.field == "github.app.private_key"
    assert "hidden" not in f"{refused.value} {App('1', 2, key)!r}"


@pytest.mark.parametrize(
    ("git", "api", "there"),
    [
        ("https://github.com/acme/shop.git", "https://api.github.com", True),
        ("https://GitHub.example.com/acme/shop.git", "https://github.example.com/api/v3", True),
        ("https://acme.ghe.com/acme/shop.git", "https://api.acme.ghe.com", True),
        ("http://github.com/acme/shop.git", "https://api.github.com", False),
        ("https://github.com.evil.example/shop.git", "https://api.github.com", False),
        ("git@github.com:acme/shop.git", "https://api.github.com", False),
        ("/srv/git/shop.git", "https://api.github.com", False),
    ],
)
def test_git_is_let_in_only_at_the_same_github(git: str, api: str, there: bool) -> None:
    assert at_github(git, api) is there


@pytest.mark.parametrize("repo", ["shop", "/shop", "acme/", "acme/shop/x"])
def test_a_repository_has_an_owner_and_a_name(repo: str) -> None:
    with pytest.raises(Refused) as refused:
        GitHub("https://api.github.example", TOKEN, repo)
    assert refused.value.field == "application.github"


async def test_an_address_that_cannot_be_called_is_refused() -> None:
    async with GitHub("ftp://github.example", TOKEN, "acme/shop") as client:
        with pytest.raises(Refused) as refused:
            await client.release("v1.4.0")
    assert refused.value.field == "github.url"
