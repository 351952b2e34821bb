"""A GitHub at the transport that knows one App and its webhook, and shows it to nobody but the App itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from clients.github_app import App

_URL = "https://tidegate.example/webhooks/github"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@dataclass
class AppHub:
    """One delivery of `body` failed, the try 5. `url` is where the App's webhook leads, None where there is none;
    `status` is how the App's own requests are answered, where that is a refusal."""

    body: dict[str, Any]
    url: str | None = _URL
    status: int = 200
    app: App = field(init=False)
    asked: list[str] = field(default_factory=list)
    made_again: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        pem = _key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        self.app = App("4711", 815, pem.decode())

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        kind, _, token = request.headers["Authorization"].partition(" ")
        if request.url.path.startswith("/app/"):
            claims = jwt.decode(token, _key().public_key(), algorithms=["RS256"], issuer="4711")
            assert (kind, claims["exp"] - claims["iat"]) == ("Bearer", 600)
            return self._of_app(request)
        assert (kind, token) == ("token", "ghs_1")
        return httpx.Response(200, json=[{"id": 7, "config": {"url": _URL}}] if self.url != _URL else [])

    def _of_app(self, request: httpx.Request) -> httpx.Response:
        if self.status != 200:
            return httpx.Response(self.status, json={"message": "No."})
        match request.url.path.removeprefix("/app/"):
            case "installations/815/access_tokens":
                ends = datetime.now(UTC).replace(year=2999).strftime("%Y-%m-%dT%H:%M:%SZ")
                return httpx.Response(201, json={"token": "ghs_1", "expires_at": ends, "permissions": {}})
            case "hook/config":
                found = {"message": "Not Found"} if self.url is None else {"url": self.url, "secret": "********"}
                return httpx.Response(404 if self.url is None else 200, json=found)
            case "hook/deliveries":
                at = datetime.now(UTC).isoformat()
                return httpx.Response(200, json=[{"id": 5, "guid": "g-5", "delivered_at": at, "status_code": 502}])
            case "hook/deliveries/5":
                return httpx.Response(200, json={"event": "push", "request": {"payload": self.body}})
            case "hook/deliveries/5/attempts" if request.method == "POST":
                self.made_again.append(5)
                return httpx.Response(202, json={})
        return httpx.Response(404, json={"message": "Not Found"})
