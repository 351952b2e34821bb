"""How a registry lets one in: Basic, or a Bearer token fetched where the registry's challenge says."""

from __future__ import annotations

import base64
import re
from collections.abc import Generator

import httpx

from release.errors import Refused, Unavailable

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_READS = ("GET", "HEAD")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class RegistryAuth(httpx.Auth):
    """Answers a registry's 401 once a request, and keeps what it was given for the next one.

    Other hosts, such as a storage that uploads or downloads are sent to, never see the credentials.
    Reads and writes hold separate tokens, because a token fetched for a read may not push.
    """

    requires_response_body = True

    def __init__(self, host: str, repository: str, username: str | None, password: str | None) -> None:
        self._host = host
        self._repository = repository
        self._basic: str | None = None
        if username is not None and password is not None:
            pair = base64.b64encode(f"{username}:{password}".encode()).decode()
            self._basic = f"Basic {pair}"
        self._held: dict[bool, str] = {}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if request.url.host != self._host:
            yield request
            return
        writes = request.method not in _READS
        if writes in self._held:
            request.headers["Authorization"] = self._held[writes]
        response = yield request
        challenge = response.headers.get("WWW-Authenticate", "")
        if response.status_code != httpx.codes.UNAUTHORIZED or response.url.host != self._host:
            return
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic" and self._basic is not None:
            self._held[writes] = self._basic
        elif kind.lower() == "bearer":
            answer = yield self._token_request(dict(_PARAMETER.findall(rest)), request, writes)
            self._held[writes] = f"Bearer {_token(answer)}"
        else:
            return
        request.headers["Authorization"] = self._held[writes]
        yield request

    def _token_request(self, challenge: dict[str, str], request: httpx.Request, writes: bool) -> httpx.Request:
        try:
            realm = httpx.URL(challenge.get("realm", ""))
        except httpx.InvalidURL:
            realm = httpx.URL("")
        if realm.scheme != "https" and not (realm.scheme == "http" and realm.host in LOOPBACK):
            raise Refused(
                f"The registry {request.url.host} sends its callers to {str(realm) or 'nowhere'!r} for a token; "
                "credentials only go to https addresses.",
                field="registry.url",
                next_step="check registry.url",
            )
        scope = f"repository:{self._repository}:pull,push" if writes else challenge.get("scope")
        parameters = {"service": challenge.get("service"), "scope": scope}
        url = realm.copy_merge_params({name: value for name, value in parameters.items() if value})
        headers = {"Authorization": self._basic} if self._basic is not None else {}
        return httpx.Request("GET", url, headers=headers, extensions=request.extensions)


def _token(answer: httpx.Response) -> str:
    """The token in the token server's answer."""
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Refused(
            f"{answer.url.host} gave no token for the registry: user name or password is wrong.",
            field="registry.username/password",
            next_step="check both, and that the password has not expired",
        )
    try:
        body = answer.json() if answer.is_success else {}
    except ValueError:
        body = {}
    token = (body.get("token") or body.get("access_token")) if isinstance(body, dict) else None
    if not isinstance(token, str):
        raise Unavailable(
            f"{answer.url.host} answered {answer.status_code} to a request for a registry token.",
            next_step="try again; if it stays, look at the registry's status page",
        )
    return token
