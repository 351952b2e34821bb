"""Logging in by OpenID Connect, at a provider that signs with a key of its own."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from operator_world import Browser, World, world

from clients.openid import Client, OpenId
from deployments.service.login import BEGUN, COOKIE

ISSUER = "https://id.test"
CLIENT = Client(ISSUER, "tidegate", "s3cret", "http://board.test/login/openid/back")


@dataclass
class Provider:
    """`claims` are laid over those of a good ID token; `asked` is what it was asked for."""

    claims: dict[str, Any] = field(default_factory=dict)
    now: float = 0.0
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    signed_by: Any = None
    algorithm: str = "ES256"
    away: bool = False
    asked: dict[str, str] = field(default_factory=dict)
    exchanged: dict[str, str] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            return httpx.Response(503)
        if request.url.path == "/.well-known/openid-configuration":
            places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
            return httpx.Response(200, json={"issuer": ISSUER} | {k: ISSUER + v for k, v in places.items()})
        if request.url.path == "/keys":
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        self.exchanged = {key: one[0] for key, one in parse_qs(request.content.decode()).items()}
        verifier = hashlib.sha256(self.exchanged["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(verifier).decode().rstrip("=") != self.asked["code_challenge"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        token = jwt.encode(
            {"alg": self.algorithm, "kid": "1"}, self._claims(), self.signed_by or self.key, algorithms=[self.algorithm]
        )
        return httpx.Response(200, json={"id_token": token, "access_token": "at", "token_type": "Bearer"})

    def _claims(self) -> dict[str, Any]:
        times = {"iat": int(self.now), "exp": int(self.now) + 300}
        person = {"sub": "1", "email": "Ada@example.com", "email_verified": True}
        return {"iss": ISSUER, "aud": "tidegate", "nonce": self.asked["nonce"], **times, **person, **self.claims}


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
async def there(tmp_path: Path, provider: Provider) -> AsyncIterator[World]:
    openid = OpenId(CLIENT, transport=httpx.MockTransport(provider))
    async with world(tmp_path, openid) as found:
        provider.now = found.clock.now
        yield found
    await openid.close()


@pytest.fixture
def browser(there: World) -> Browser:
    app = FastAPI()
    app.include_router(there.door.router)
    return Browser(app, there.clock)


async def come_back(browser: Browser, provider: Provider, **changed: str) -> httpx.Response:
    """To the provider and back, as a browser goes."""
    sent = await browser.get("/login/openid?next=/history")
    assert sent.status_code == 303, sent.text
    provider.asked = {key: one[0] for key, one in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    return await browser.get("/login/openid/back", params={"state": provider.asked["state"], "code": "c"} | changed)


async def test_a_known_person_gets_in(browser: Browser, provider: Provider, there: World) -> None:
    answer = await come_back(browser, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/history")
    assert COOKIE in browser.http.cookies and BEGUN not in browser.http.cookies
    assert provider.asked["code_challenge_method"] == "S256"
    assert provider.exchanged["client_secret"] == "s3cret"
    assert await there.audit() == [("ada", "logged in")]


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "mallory@example.com"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://evil.test"},
        {"exp": 1},
        {"azp": "another", "aud": ["tidegate", "another"]},
    ],
)
async def test_what_the_provider_says_is_checked(browser: Browser, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = claims
    answer = await come_back(browser, provider)
    assert answer.status_code == 422, answer.text
    assert COOKIE not in browser.http.cookies


async def test_a_token_signed_by_another_key_is_not_trusted(browser: Browser, provider: Provider) -> None:
    provider.signed_by = ECKey.generate_key("P-256", {"kid": "1"})
    assert (await come_back(browser, provider)).status_code == 422
    public = json.dumps(provider.key.as_dict(private=False))
    provider.signed_by, provider.algorithm = OctKey.import_key(public), "HS256"
    assert (await come_back(browser, provider)).status_code == 422


async def test_a_log_in_that_was_not_begun_here_is_none(browser: Browser, provider: Provider) -> None:
    assert (await come_back(browser, provider, state="guessed")).status_code == 403
    assert (await come_back(browser, provider, error="access_denied", code="")).status_code == 403
    browser.http.cookies.clear()
    assert (await browser.get("/login/openid/back?state=&code=c")).status_code == 403


async def test_a_provider_that_is_away_is_said_and_the_password_still_works(
    browser: Browser, provider: Provider
) -> None:
    provider.away = True
    answer = await browser.get("/login/openid")
    assert answer.status_code == 503
    assert "Log in with name, password and code" in answer.text or "Try again" in answer.text
    assert (await browser.log_in("ada")).status_code == 303
