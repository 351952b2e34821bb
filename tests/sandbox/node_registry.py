"""A registry of the simulated node's tests, as an httpx transport: tags and digests, with images that come and go."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode

import httpx

from sandbox.node.images import ImageSource
from sandbox.world import LABEL

URL = "http://127.0.0.1:5000"
AUTH = "Basic " + b64encode(b"tidegate:secret").decode()


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class FakeRegistry:
    """Holds images of one repository, `shop`; `down` makes it unreachable, `asked` counts its answers by path."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.down = False

    def push(self, tag: str, **behaviour: str) -> str:
        """An image whose labels ask for a behaviour; its digest."""
        labels = {LABEL + name.replace("_", "-"): value for name, value in behaviour.items()}
        labels |= {"org.opencontainers.image.version": tag, "org.opencontainers.image.revision": "a" * 40}
        config = json.dumps({"config": {"Labels": labels, "Env": ["HOME=/"], "Entrypoint": ["/shop"]}}).encode()
        manifest = json.dumps({"schemaVersion": 2, "config": {"digest": digest_of(config)}}).encode()
        self.content |= {digest_of(config): config, digest_of(manifest): manifest, tag: manifest}
        return digest_of(manifest)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("refused")
        self.asked.append(request.url.path)
        if request.headers.get("Authorization") != AUTH:
            return httpx.Response(401)
        content = self.content.get(request.url.path.rpartition("/")[2])
        if content is None or not request.url.path.startswith("/v2/shop/"):
            return httpx.Response(404)
        return httpx.Response(200, content=content, headers={"Docker-Content-Digest": digest_of(content)})

    def images(self, password: str = "secret") -> ImageSource:
        return ImageSource(URL, username="tidegate", password=password, transport=httpx.MockTransport(self.answer))
