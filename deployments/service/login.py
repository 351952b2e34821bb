"""Who is at the browser: log-in, log-out, and what each page asks before it answers."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.responses import RedirectResponse

from clients.openid import Asked, OpenId
from clients.sessions import Session, Sessions
from deployments.service import pages
from deployments.service.accounts import Accounts
from deployments.service.pages import Elsewhere, Forbidden, PageRoute
from release.errors import Refused
from release.people import Person, Role

COOKIE, BEGUN = "tidegate", "tidegate-login"
TOKEN = "token"  # noqa: S105 - the name of a form's field
_BEGUN_S = 600
_SEALED_S = 60


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in."""

    person: Person
    session: Session


class Door:
    """Log-in by password and code, or by OpenID. `key` signs the cookies; `secure` keeps them on https.

    `address` is the service's own as browsers call it, empty where it is what they say it is.
    """

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        key: str,
        *,
        address: str = "",
        openid: OpenId | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._accounts, self._sessions, self._openid, self._clock = accounts, sessions, openid, clock
        self._secure, self._host = address.startswith("https://"), urlsplit(address).netloc
        self._signed = URLSafeTimedSerializer(key, salt="session")
        self._sealed = URLSafeTimedSerializer(key, salt="told")
        self._begun = URLSafeTimedSerializer(key, salt="login")
        self.router = APIRouter(route_class=PageRoute, include_in_schema=False)
        self.router.add_api_route("/login", self._ask, methods=["GET"])
        self.router.add_api_route("/login", self._by_password, methods=["POST"])
        self.router.add_api_route("/logout", self._leave, methods=["POST"])
        if openid is not None:
            self.router.add_api_route("/login/openid", self._to_provider, methods=["GET"])
            self.router.add_api_route("/login/openid/back", self._from_provider, methods=["GET"])

    async def visitor(self, request: Request, *, uses: bool = True) -> Visitor | None:
        """Who is there; None for somebody who is not logged in, or no longer one of the people. `uses`: he asks for
        it himself, and not his open page."""
        opens = self._token(request)
        session = await self._sessions.find(opens, self._clock(), uses=uses) if opens else None
        person = self._accounts.person(session.person) if session else None
        return Visitor(person, session) if session and person else None

    async def require(self, request: Request, role: Role, *, uses: bool = True) -> Visitor:
        """Who is there. Raises Elsewhere (the log-in) for a stranger, and Forbidden for somebody without the role."""
        found = await self.visitor(request, uses=uses)
        if found is None:
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise Elsewhere(f"/login?next={quote(here if request.method == 'GET' else '/')}")
        if not found.person.may(role):
            raise Forbidden(
                f"{found.person.name} may not do that: it needs the role {role}.",
                field="role",
                next_step="Ask somebody who has it; `people` in tidegate.yaml says who.",
            )
        return found

    async def posted(self, request: Request, role: Role) -> tuple[Visitor, dict[str, str]]:
        """Who sent a form, and its fields. Raises Forbidden for a form that another page made him send."""
        self._same_origin(request)
        found, fields = await self.require(request, role), await pages.form(request)
        if not hmac.compare_digest(fields.get(TOKEN, "").encode(), found.session.token.encode()):
            raise Forbidden("this form is not one of your session.", field="form", next_step="Open the page anew.")
        return found, fields

    def seal(self, text: str) -> str:
        """A text of our own for an address: nobody else can make one that `opened` reads."""
        return str(self._sealed.dumps(text))

    def opened(self, sealed: str) -> str:
        """The text; empty for one that is older than a minute, or not ours."""
        try:
            return str(self._sealed.loads(sealed, max_age=_SEALED_S))
        except BadSignature:
            return ""

    async def _ask(self, next: str = "/", why: str = "") -> Response:
        return pages.html("login.html", next=pages.local_path(next), why=why, openid=self._openid is not None, name="")

    async def _by_password(self, request: Request) -> Response:
        self._same_origin(request)
        fields = await pages.form(request)
        there, name = pages.local_path(fields.get("next", "/")), fields.get("name", "").strip()
        given = (name, fields.get("password", ""), fields.get("code", ""))
        try:
            person = await self._accounts.by_password(*given, _address(request), self._clock())
        except Refused as error:
            why = f"{error.what} {error.next_step}"
            return pages.html("login.html", 401, next=there, why=why, openid=self._openid is not None, name=name[:80])
        return await self._enter(request, person, "password", there)

    async def _leave(self, request: Request) -> Response:
        found, fields = await self.posted(request, "see")
        now = self._clock()
        if fields.get("everywhere"):
            await self._sessions.end_all(found.person.name, now)
        await self._sessions.end(self._token(request), now)
        await self._sessions.note(found.person.name, "logged out", now)
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    async def _to_provider(self, next: str = "/") -> Response:
        assert self._openid is not None
        there, asked = await self._openid.ask()
        answer = RedirectResponse(there, status_code=303)
        kept = self._begun.dumps({**asdict(asked), "next": pages.local_path(next)})
        self._set(answer, BEGUN, str(kept), _BEGUN_S)
        return answer

    async def _from_provider(self, request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        assert self._openid is not None
        try:
            kept = self._begun.loads(request.cookies.get(BEGUN, ""), max_age=_BEGUN_S)
        except BadSignature:
            kept = {"state": ""}
        if not kept["state"] or not hmac.compare_digest(state.encode(), kept["state"].encode()):
            raise Forbidden("this log-in was not begun here, or too long ago.", next_step="Begin again at /login.")
        if error or not code:
            raise Forbidden("the provider did not let you in.", next_step="Begin again at /login.")
        there, now = kept.pop("next"), self._clock()
        claims = await self._openid.claims(code, Asked(**kept), now)
        person = await self._accounts.by_openid(claims, _address(request), now)
        answer = await self._enter(request, person, "openid", there)
        answer.delete_cookie(BEGUN)
        return answer

    async def _enter(self, request: Request, person: Person, via: str, there: str) -> Response:
        now = self._clock()
        if old := self._token(request):
            await self._sessions.end(old, now)
        opens, session = await self._sessions.begin(person.name, via, now)
        await self._sessions.note(person.name, "logged in", now, by=via, address=_address(request))
        answer = RedirectResponse(there, status_code=303)
        self._set(answer, COOKIE, str(self._signed.dumps(opens)), int(session.expires - now))
        return answer

    def _token(self, request: Request) -> str:
        try:
            return str(self._signed.loads(request.cookies.get(COOKIE, "")))
        except BadSignature:
            return ""

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        # Lax, not strict: people come here from links in Slack and from their provider.
        answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=self._secure)

    def _same_origin(self, request: Request) -> None:
        """Browsers say which page a form is from; a cookie must do nothing for another page's."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
        host = self._host or request.headers.get("host", "")
        if site not in ("same-origin", "none") or (origin is not None and urlsplit(origin).netloc != host):
            raise Forbidden("this form came from another page.", field="form", next_step="Open the page itself.")


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
