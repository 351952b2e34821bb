"""Logging in at the operator service: who gets in, what a session is worth, and what forms of others do: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
from fastapi import APIRouter, FastAPI, Request
from operator_world import ORIGIN, PASSWORD, SECRETS, Browser, World, world
from starlette.responses import HTMLResponse

from deployments.service.login import COOKIE, Door
from deployments.service.pages import PageRoute


def application(door: Door) -> FastAPI:
    """The door, a page that shows a session's token, and one thing that an operator may do."""
    rooms = APIRouter(route_class=PageRoute)

    @rooms.get("/")
    async def page(request: Request) -> HTMLResponse:
        found = await door.require(request, "see")
        return HTMLResponse(f'{found.person.name} <input name="token" value="{found.session.token}">')

    @rooms.post("/do")
    async def do(request: Request) -> HTMLResponse:
        found, fields = await door.posted(request, "operate")
        return HTMLResponse(f"{found.person.name} did {fields['what']}")

    app = FastAPI()
    app.include_router(door.router)
    app.include_router(rooms)
    return app


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as found:
        yield found


@pytest.fixture
def browser(there: World) -> Browser:
    return Browser(application(there.door), there.clock)


async def test_a_stranger_is_led_to_the_login_and_back(browser: Browser) -> None:
    answer = await browser.get("/?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/%3Fx%3D1")
    assert "One-time code" in (await browser.get(answer.headers["location"])).text


async def test_name_password_and_code_let_in_and_are_written_down(browser: Browser, there: World) -> None:
    answer = await browser.log_in("ada")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "max-age=43200" in cookie
    assert (await browser.get("/")).text.startswith("ada")
    assert await there.audit() == [("ada", "logged in")]


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [("ada", "wrong", None), ("ada", PASSWORD, "000000"), ("nobody", PASSWORD, None), ("ada", PASSWORD, "")],
)
async def test_whatever_is_wrong_the_words_are_the_same(
    browser: Browser, name: str, password: str, code: str | None
) -> None:
    answer = await browser.log_in(name, password=password, code=code)
    assert answer.status_code == 401
    assert "name, password or code is wrong" in answer.text
    assert COOKIE not in browser.http.cookies
    assert PASSWORD not in answer.text


async def test_a_name_that_no_database_holds_is_refused(browser: Browser) -> None:
    assert (await browser.log_in("ada\0")).status_code == 422


async def test_a_code_is_good_once_and_a_wrong_password_does_not_spend_it(browser: Browser, there: World) -> None:
    assert (await browser.log_in("ada", password="wrong")).status_code == 401
    assert (await browser.log_in("ada")).status_code == 303
    assert (await browser.log_in("ada")).status_code == 401
    there.clock.now += 30
    assert (await browser.log_in("ada")).status_code == 303


async def test_tries_are_limited_by_who_tries_from_where(browser: Browser, there: World) -> None:
    for _ in range(5):
        assert (await browser.log_in("ada", password="wrong")).status_code == 401
    refused = await browser.log_in("ada")
    assert refused.status_code == 401 and "too many tries" in refused.text
    elsewhere = Browser(browser.app, there.clock, address="127.0.0.10")
    assert (await elsewhere.log_in("ada")).status_code == 303
    there.clock.now += 901
    assert (await browser.log_in("ada")).status_code == 303


async def test_a_session_ends_by_time_by_disuse_and_by_logging_out(browser: Browser, there: World) -> None:
    await browser.log_in("ada")
    there.clock.now += 7_000
    assert (await browser.get("/")).status_code == 200
    there.clock.now += 7_000
    assert (await browser.get("/")).status_code == 200, "it was used meanwhile"
    there.clock.now += 7_300
    assert (await browser.get("/")).status_code == 303
    await browser.log_in("ada")
    kept = browser.http.cookies[COOKIE]
    assert (await browser.post("/logout", {"token": await browser.token()})).status_code == 303
    browser.http.cookies.set(COOKIE, kept)
    assert (await browser.get("/")).status_code == 303, "what was revoked stays revoked, whoever still has the cookie"


async def test_logging_out_everywhere_ends_all_sessions_and_only_ones_own(browser: Browser, there: World) -> None:
    phone, bob = Browser(browser.app, there.clock), Browser(browser.app, there.clock)
    await bob.log_in("bob")
    await phone.log_in("ada")
    there.clock.now += 30
    await browser.log_in("ada")
    await browser.post("/logout", {"token": await browser.token(), "everywhere": "yes"})
    assert (await phone.get("/")).status_code == 303
    assert (await bob.get("/")).status_code == 200


async def test_who_is_no_longer_one_of_the_people_is_nobody_at_once(browser: Browser, there: World) -> None:
    await browser.log_in("ada")
    del there.people["ada"]
    assert (await browser.get("/")).status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", "x.y.z", "é", "a" * 5000])
async def test_a_cookie_that_was_not_signed_here_is_none(browser: Browser, cookie: str) -> None:
    answer = await browser.get("/", headers={"Cookie": f"{COOKIE}={cookie}".encode()})
    assert answer.status_code == 303


async def test_a_role_is_asked_for(browser: Browser, there: World) -> None:
    for name, expected in (("sam", 403), ("bob", 403), ("ada", 200)):
        person = Browser(browser.app, there.clock)
        await person.log_in(name)
        answer = await person.post("/do", {"what": "it", "token": await person.token()})
        assert answer.status_code == expected, name


async def test_a_form_of_another_page_does_nothing(browser: Browser) -> None:
    await browser.log_in("ada")
    token = await browser.token()
    mine = {"what": "it", "token": token}
    assert (await browser.post("/do", mine)).text == "ada did it"
    assert (await browser.post("/do", {"what": "it", "token": "guessed"})).status_code == 403
    assert (await browser.post("/do", {"what": "it"})).status_code == 403
    assert (await browser.post("/do", mine, headers={"Origin": "http://evil.test"})).status_code == 403
    assert (await browser.post("/do", mine, headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
    assert (await browser.post("/login", mine, headers={"Origin": "http://evil.test"})).status_code == 403
    assert (await browser.http.post("/do", content=b"x" * 20_000, headers=FORM)).status_code == 422
    assert (await browser.http.post("/do", json=mine)).status_code == 422


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("there_", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)"])
async def test_a_link_leads_nobody_away(browser: Browser, there_: str) -> None:
    code = pyotp.TOTP(SECRETS["ada"]).at(int(browser.clock.now))
    answer = await browser.post("/login", {"name": "ada", "password": PASSWORD, "code": code, "next": there_})
    assert answer.headers["location"] == "/"


async def test_pages_run_nothing_that_is_not_theirs(browser: Browser) -> None:
    answer = await browser.get("/login?next=/%22%3E%3Cscript%3E")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "<script>" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_over_https_the_cookie_stays_there(tmp_path: Path) -> None:
    async with world(tmp_path, address="https://board.test") as there:
        browser = Browser(application(there.door), there.clock)
        browser.http.headers["Origin"] = "https://board.test"
        assert "secure" in (await browser.log_in("ada")).headers["set-cookie"].lower()
        assert (await browser.post("/login", {}, headers={"Origin": ORIGIN.replace("board", "b")})).status_code == 403


async def test_a_restart_keeps_sessions(tmp_path: Path) -> None:
    async with world(tmp_path) as there:
        browser = Browser(application(there.door), there.clock)
        await browser.log_in("ada")
    async with world(tmp_path) as again:
        after = Browser(application(again.door), again.clock)
        after.http.cookies = browser.http.cookies
        assert (await after.get("/")).status_code == 200
