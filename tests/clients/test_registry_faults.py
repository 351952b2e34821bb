"""The registry client where the registry misbehaves, or asks for a token; the fakes are at the transport."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest

from clients import oci
from clients.registry import Registry
from release.errors import Refused, TidegateError, Unavailable

HOST = "ghcr.example"
MANIFEST = oci.to_bytes({"schemaVersion": 2, "mediaType": oci.MANIFEST, "layers": []})
DIGEST = oci.digest_of(MANIFEST)
Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, *, password: str | None = "s3cret") -> Registry:
    transport = httpx.MockTransport(handler)
    return Registry(f"https://{HOST}", "org/shop", username="bot", password=password, transport=transport)


async def failure(handler: Handler) -> TidegateError:
    async with client(handler) as registry:
        with pytest.raises(TidegateError) as caught:
            await registry.manifest("v1.0.0")
    assert "s3cret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_registry_in_trouble_is_unavailable(status: int) -> None:
    error = await failure(lambda _: httpx.Response(status, headers={"Retry-After": "7"}))
    assert isinstance(error, Unavailable)
    assert str(status) in str(error)
    assert "after 7 s" in str(error)


@pytest.mark.parametrize("kind", [httpx.ReadTimeout, httpx.ConnectError, httpx.RemoteProtocolError])
async def test_a_broken_connection_is_unavailable(kind: type[httpx.TransportError]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise kind("broken", request=request)

    assert isinstance(await failure(handler), Unavailable)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_registry_that_does_not_let_in_refuses_by_field(status: int) -> None:
    error = await failure(lambda _: httpx.Response(status))
    assert isinstance(error, Refused)
    assert error.field == "registry.username/password"


async def test_a_request_that_is_not_accepted_repeats_the_registrys_words() -> None:
    body = {"errors": [{"code": "NAME_INVALID", "message": "invalid repository name"}]}
    error = await failure(lambda _: httpx.Response(400, json=body))
    assert isinstance(error, Refused)
    assert "NAME_INVALID invalid repository name" in str(error)


async def test_a_page_instead_of_a_manifest_is_unavailable() -> None:
    async with client(lambda _: httpx.Response(200, html="<html>log in</html>")) as registry:
        with pytest.raises(Unavailable, match="not a JSON object"):
            await registry.read_record("verified")


async def test_other_bytes_than_the_digests_are_never_used() -> None:
    async with client(lambda _: httpx.Response(200, content=b"{}")) as registry:
        with pytest.raises(Unavailable, match="other bytes"):
            await registry.manifest(DIGEST)
        with pytest.raises(Unavailable, match="other bytes"):
            await registry.blob(DIGEST)


async def test_a_push_that_another_overtook_is_told() -> None:
    other = MANIFEST.replace(b"[]", b"[ ]")

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201) if request.method == "PUT" else httpx.Response(200, content=other)

    async with client(handler) as registry:
        with pytest.raises(Unavailable, match="see who else pushes"):
            await registry.put_manifest("v1.0.0", oci.MANIFEST, MANIFEST)


async def test_all_manifest_types_are_accepted() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        accepted = request.headers["Accept"].split(", ")
        assert accepted == [oci.MANIFEST, oci.INDEX, oci.DOCKER_MANIFEST, oci.DOCKER_LIST]
        return httpx.Response(200, content=MANIFEST, headers={"Content-Type": f"{oci.MANIFEST}; charset=utf-8"})

    async with client(handler) as registry:
        found = await registry.manifest(DIGEST)
    assert found == oci.Manifest(DIGEST, oci.MANIFEST, MANIFEST)


class Tokens:
    """A registry with a token server, as GHCR has; keeps the scopes that were asked for."""

    def __init__(self, realm: str = f"https://{HOST}/token") -> None:
        self.realm = realm
        self.scopes: list[str] = []
        self.refused = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            pair = base64.b64encode(b"bot:s3cret").decode()
            if request.headers.get("Authorization") != f"Basic {pair}":
                return httpx.Response(403)
            self.scopes.append(request.url.params["scope"])
            return httpx.Response(200, json={"token": f"token-{self.scopes[-1].rpartition(':')[2]}"})
        writes = request.method not in ("GET", "HEAD")
        wanted = "Bearer token-pull,push" if writes else "Bearer token-pull"
        if request.headers.get("Authorization") != wanted:
            self.refused += 1
            challenge = f'Bearer realm="{self.realm}",service="{HOST}",scope="repository:org/shop:pull"'
            return httpx.Response(401, headers={"WWW-Authenticate": challenge})
        return httpx.Response(201) if writes else httpx.Response(200, content=MANIFEST)


async def test_tokens_are_fetched_once_for_reads_and_once_for_writes() -> None:
    server = Tokens()
    async with client(server) as registry:
        for _ in range(2):
            assert await registry.manifest("v1.0.0") is not None
            await registry.put_manifest("v1.0.0", oci.MANIFEST, MANIFEST)
    assert server.scopes == ["repository:org/shop:pull", "repository:org/shop:pull,push"]
    assert server.refused == 2


async def test_a_token_server_that_does_not_know_the_password_refuses() -> None:
    async with client(Tokens(), password="wrong") as registry:
        with pytest.raises(Refused) as refused:
            await registry.manifest("v1.0.0")
    assert refused.value.field == "registry.username/password"


@pytest.mark.parametrize("realm", ["http://elsewhere.example/token", "", "token"])
async def test_credentials_never_go_to_a_plain_address(realm: str) -> None:
    server = Tokens(realm)
    error = await failure(server)
    assert isinstance(error, Refused)
    assert server.scopes == []


async def test_a_storage_host_never_sees_the_credentials() -> None:
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == HOST:
            if "Authorization" not in request.headers:
                return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="x"'})
            return httpx.Response(307, headers={"Location": "https://storage.example/blob"})
        seen.append(request.headers.get("Authorization"))
        return httpx.Response(200, content=MANIFEST)

    async with client(handler) as registry:
        assert await registry.blob(DIGEST) == MANIFEST
    assert seen == [None]
