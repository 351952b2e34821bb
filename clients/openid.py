"""An OpenID Connect provider, as one who lets people log in: the code flow with PKCE, state and nonce.

The protocol's parts are authlib's; what goes over the wire is sent by httpx, as everywhere here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from clients.address import is_loopback
from clients.trust import authorities
from release.errors import Refused, Unavailable

TIMEOUT = 10.0
SCOPE = "openid email profile"
# The provider signs with a key of its own: an algorithm with a shared secret, or none, is never accepted.
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_LEEWAY_S = 60
FIELD = "login.openid"


@dataclass(frozen=True, slots=True)
class Asked:
    """A log-in that was begun: what must come back (`state`, `nonce`) and what proves it was us (`verifier`)."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Client:
    """Us at the provider. `issuer` is the provider's address, `redirect` where it sends people back to."""

    issuer: str
    id: str
    secret: str | None
    redirect: str


class OpenId:
    """Every method raises Unavailable where the provider does not answer, and Refused for what it should not say."""

    def __init__(self, client: Client, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = client
        trust = not is_loopback(client.issuer)
        self._http = httpx.AsyncClient(transport=transport, timeout=TIMEOUT, verify=authorities(), trust_env=trust)
        self._metadata: Mapping[str, Any] | None = None

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self) -> tuple[str, Asked]:
        """Where the person is sent, and what to keep until he comes back."""
        asked = Asked(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        found = await self._provider()
        address: str = prepare_grant_uri(
            found["authorization_endpoint"],
            self._client.id,
            "code",
            redirect_uri=self._client.redirect,
            scope=SCOPE,
            state=asked.state,
            nonce=asked.nonce,
            code_challenge=create_s256_code_challenge(asked.verifier),
            code_challenge_method="S256",
        )
        return address, asked

    async def claims(self, code: str, asked: Asked, now: float) -> Mapping[str, Any]:
        """What the provider says of the person who came back with `code`: its ID token's claims, all checked."""
        found = await self._provider()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect,
            "client_id": self._client.id,
            "code_verifier": asked.verifier,
        }
        if self._client.secret:
            form["client_secret"] = self._client.secret
        answer = await self._json("POST", found["token_endpoint"], form)
        keys = await self._json("GET", found["jwks_uri"])
        try:
            token = jwt.decode(
                str(answer.get("id_token", "")),
                KeySet.import_key_set(cast(KeySetSerialization, keys)),
                algorithms=ALGORITHMS,
            )
            options = {"iss": {"value": found["issuer"]}, "aud": {"value": self._client.id}}
            params = {"nonce": asked.nonce, "client_id": self._client.id, "access_token": answer.get("access_token")}
            claims = CodeIDToken(token.claims, token.header, options, params)
            claims.validate(now=int(now), leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            raise _wrong(f"its ID token is not to be trusted ({type(error).__name__}).") from None
        return dict(claims)

    async def _provider(self) -> Mapping[str, Any]:
        if self._metadata is None:
            found = await self._json("GET", get_well_known_url(self._client.issuer, external=True))
            try:
                metadata = OpenIDProviderMetadata(found)
                metadata.validate_issuer()
            except ValueError as error:
                raise _wrong(f"its description is not one ({error}).") from None
            if str(found["issuer"]).rstrip("/") != self._client.issuer.rstrip("/"):
                raise _wrong("its description names another issuer.")
            self._metadata = found
        return self._metadata

    async def _json(self, method: str, address: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, address, data=form, headers={"Accept": "application/json"})
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(
                f"the OpenID provider did not answer ({type(error).__name__}).",
                field=FIELD,
                next_step="Log in with name, password and code, or try again.",
            ) from None
        if answer.status_code >= 500:
            raise Unavailable(
                f"the OpenID provider answered {answer.status_code}.", field=FIELD, next_step="Try again."
            )
        if not answer.is_success or not isinstance(found, dict):
            raise _wrong(f"it answered {answer.status_code}.")
        return found


def _wrong(what: str) -> Refused:
    return Refused(f"the OpenID provider did not let you in: {what}", field=FIELD, next_step="Log in again.")
