"""The one GitHub App of the simulated GitHub: proven by its key, it gets tokens for its installation's repository."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox.services.github.problems import Problem, body_of, not_found
from sandbox.services.github.shapes import Json, Shapes
from sandbox.services.github.state import now

LOGIN = "tidegate[bot]"
ID, INSTALLATION = 4711, 815
PERMISSIONS = {
    "contents": "write",
    "deployments": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
_LASTS_S = 3600
# How long what the App signs with its key may be valid at most.
_LONGEST_S = 600


class App:
    """Its key is made at the start; `private_key` is what GitHub would have let one download, as PEM."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        self.private_key = self._key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        ).decode()
        self._since = now()
        # Token -> when it ends.
        self._tokens: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/app/installations/{number}", self.installation),
            web.post("/app/installations/{number}/access_tokens", self.new_token),
        ]

    def login_of(self, token: str) -> str | None:
        """Whose a token of the installation is, None for any other or when it has ended."""
        return LOGIN if self._tokens.get(token, 0.0) > time.time() else None

    def check(self, signed: str) -> str:
        """The login of who signed a JSON web token with the App's key. Raises Problem 401 as GitHub does."""
        try:
            claims = jwt.decode(
                signed,
                self._key.public_key(),
                algorithms=["RS256"],
                issuer=str(ID),
                options={"require": ["iss", "iat", "exp"]},
            )
        except jwt.PyJWTError:
            raise Problem(401, "A JSON web token could not be decoded") from None
        if claims["exp"] > time.time() + _LONGEST_S:
            raise Problem(401, "'Expiration time' claim ('exp') is too far in the future")
        return LOGIN

    async def installation(self, request: web.Request) -> web.Response:
        _require_ours(request)
        page = f"{self._shapes.api}/app/installations/{INSTALLATION}"
        found: Json = {
            "id": INSTALLATION,
            "account": self._shapes.user(self._shapes.name.partition("/")[0]),
            "repository_selection": "selected",
            "access_tokens_url": f"{page}/access_tokens",
            "repositories_url": f"{self._shapes.api}/installation/repositories",
            "html_url": f"{self._shapes.api}/settings/installations/{INSTALLATION}",
            "app_id": ID,
            "app_slug": "tidegate",
            "target_id": 1,
            "target_type": "Organization",
            "permissions": PERMISSIONS,
            "events": ["pull_request", "push", "release"],
            "created_at": self._since,
            "updated_at": self._since,
            "single_file_name": None,
            "suspended_by": None,
            "suspended_at": None,
        }
        return web.json_response(found)

    async def new_token(self, request: web.Request) -> web.Response:
        _require_ours(request)
        asked = (await body_of(request)).get("repositories")
        if asked not in (None, [self._shapes.name.partition("/")[2]]):
            message = (
                "There is at least one repository that does not exist or is not accessible to the parent installation."
            )
            raise Problem(422, message)
        token, ends = f"ghs_{secrets.token_urlsafe(24)}", int(time.time()) + _LASTS_S
        self._tokens[token] = ends
        answer: Json = {
            "token": token,
            "expires_at": datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "permissions": PERMISSIONS,
            "repository_selection": "selected",
            "repositories": [self._shapes.repository()],
        }
        return web.json_response(answer, status=201)


def _require_ours(request: web.Request) -> None:
    if request.match_info["number"] != str(INSTALLATION):
        raise not_found()
