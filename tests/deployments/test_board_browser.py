"""The board in a browser, over a world that the test makes: a release watched from start to recovery, an approval
given, an order by keyboard, both themes, a phone."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest
from board_service import Service, service
from board_world import NOW, RUN, approval, drawn, measured, seen, slot, steady, told, under_way
from board_world import region as region_state
from chromium import Page
from fastapi import FastAPI
from operator_world import PASSWORD, SECRETS
from overuvicorn import served
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from release.board_releases import RECOVERING
from release.board_seen import Past, Seen, SeenFreeze, SeenPart, SeenVote
from release.verdict import chart
from sandbox.ports import free_port

pytestmark = pytest.mark.slow
FIRST = "us-east-1"
# Seconds after which the scene's canary is undecided, and bad.
UNDECIDED, GONE_BAD = 69, 76
BAD = f"us-east-1: {told(GONE_BAD).sentence}"
# A folder for pictures of what is tested; the docs' are made so.
PICTURES = os.environ.get("TIDEGATE_TESTS_PICTURES")


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path, seen(measured=measured()), every=1.0, open_to_read=True) as found:
        yield found


@pytest.fixture
async def board(there: Service) -> AsyncIterator[str]:
    async with served(there.app) as address:
        yield address


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with Page() as found:
        await found.look(width=1280, height=1180)
        yield found
        assert found.complaints == []


async def log_in(page: Page, board: str, there: Service, name: str) -> None:
    await page.go(f"{board}/login")
    await page.fill("name", name)
    await page.fill("password", PASSWORD)
    await page.fill("code", pyotp.TOTP(SECRETS[name]).at(int(there.world.clock.now)))
    await page.press("Enter", 13)
    await page.until("location.pathname == '/' && document.readyState == 'complete'")


async def picture(
    page: Page, name: str, tmp_path: Path, *, width: int, height: int, dark: bool = False, whole: bool = False
) -> None:
    """Look at the page so; nothing sticks out at its side, and what is read stands out from its ground."""
    await page.look(width=width, height=height, dark=dark, mobile=width < 500)
    await page.picture((Path(PICTURES) if PICTURES else tmp_path) / f"{name}.png", whole=whole)
    assert await page.value("document.documentElement.scrollWidth <= window.innerWidth"), name
    assert await page.value(_CONTRAST) >= 4.5, name
    await page.look(width=1280, height=1180)


# The smallest contrast (WCAG) of any text with the ground that it stands on.
_CONTRAST = """(() => {
  const parts = text => (text.match(/[0-9.]+/g) || []).map(Number);
  const light = rgb => { const [r, g, b] = rgb.slice(0, 3).map(v => v / 255).map(v =>
    v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  let worst = 99;
  for (const one of document.querySelectorAll('#main *')) {
    const texts = [...one.childNodes].filter(node => node.nodeType === 3 && node.textContent.trim());
    if (!texts.length || !one.offsetParent) continue;
    let under = one, ground;
    do { ground = parts(getComputedStyle(under).backgroundColor); under = under.parentElement; }
    while (under && ground[3] === 0);
    const [a, b] = [light(parts(getComputedStyle(one).color)), light(ground)].sort((x, y) => y - x);
    worst = Math.min(worst, (a + .05) / (b + .05));
  }
  return worst;
})()"""


def judged(seconds: int, stamp: str) -> Seen:
    """A canary under way, as its verdict's course was after so many seconds."""
    one = told(seconds, stamp)
    return replace(under_way(weight=one.weight, measured=measured(), freezes=(_FREEZE,)), courses=(one,))


def charted(there: Service, seconds: int) -> None:
    for narrow in (False, True):
        there.scene.charts[RUN, FIRST, narrow] = drawn(seconds, narrow=narrow)


_FREEZE = SeenFreeze("production", "weekend", NOW + 86_400, NOW + 3 * 86_400)


def going_back() -> Seen:
    whole = under_way(f"{RECOVERING}{BAD}", weight=25, measured=measured())
    first = replace(whole.runs[RUN].parts[0], stage="failed", ended=NOW - 4, line="")
    parts = (first, SeenPart("", "running", NOW - 3))
    one = told(GONE_BAD, "2")
    state = region_state(slot("blue", "1.4.0"), slot("green", "1.5.0", 3, 3), (100, 0), ("1.4.0", "blue"))
    regions = (replace(whole.regions[0], state=state), *whole.regions[1:])
    return replace(whole, runs={RUN: replace(whole.runs[RUN], parts=parts)}, courses=(one,), regions=regions)


def over() -> Seen:
    whole = seen(measured=measured())
    one = Past(RUN, "production", "production", "1.5.0", "canary", "recovered", "ada", NOW, 197.0, 6.2, BAD)
    return replace(whole, past=(one, *whole.past), count=3)


async def test_a_release_is_watched_from_start_to_recovery(
    there: Service, board: str, page: Page, tmp_path: Path
) -> None:
    await page.go(board)
    await page.shows("v1.4.0 is live in all 3 regions")
    loaded = await page.value("performance.timeOrigin")
    await there.show(judged(40, ""))
    await page.shows("green 10 %, v1.5.0, 3/3 pods", 10)
    charted(there, UNDECIDED)
    await there.show(judged(UNDECIDED, "1"))
    await page.shows("green 25 %", 10)
    await page.until("document.querySelector('.charts img')?.naturalWidth > 0", 10)
    await picture(page, "board", tmp_path, width=1280, height=1180)
    charted(there, GONE_BAD)
    await there.show(going_back())
    await page.until("document.querySelector('#headline').classList.contains('bad')", 10)
    assert str(await page.value("document.title")).startswith("✖ production v1.5.0 is being taken back")
    assert "is being taken back" in str(await page.value("document.querySelector('#said').textContent"))
    await picture(page, "board-dark", tmp_path, width=1280, height=1180, dark=True)
    await page.look(width=390, height=844, mobile=True)
    await page.until("document.querySelector('.charts img').currentSrc.includes('narrow')", 10)
    await page.until("document.querySelector('.charts img').naturalWidth > 0", 10)
    # Its words are as large as the page's own.
    assert await page.value("document.querySelector('.charts img').clientWidth") >= 0.8 * chart.NARROW.width
    await page.value("document.querySelector('.charts figcaption').scrollIntoView()")
    await picture(page, "board-phone", tmp_path, width=390, height=844)
    await page.value("scrollTo(0, 0)")
    await there.show(over())
    await page.until("document.querySelector('#headline').classList.contains('good')", 10)
    assert "recovered" in str(await page.value("document.querySelector('#past tbody tr').innerText"))
    assert await page.value("performance.timeOrigin") == loaded, "it was never loaded anew"


async def test_an_approval_is_given(there: Service, board: str, page: Page, tmp_path: Path) -> None:
    await there.show(seen(approvals=(approval(),), measured=measured(), freezes=(_FREEZE,)))
    await page.go(board)
    await page.shows("1 person must still approve")
    await picture(page, "board-full", tmp_path, width=1280, height=1180, whole=True)
    assert not await page.value("document.querySelector('#approvals a.approve').offsetParent"), "not for strangers"
    await log_in(page, board, there, "bob")
    await page.click("#approvals a.approve")
    await page.shows("Approve production v1.6.0?")
    await page.fill("reason", "looked at it")
    await page.fill("code", "123456")
    await page.press("Enter", 13)
    await page.shows("approve: told 77aa.")
    assert there.scene.done == [("approve", "77aa", "bob", "looked at it", "123456")]
    assert not await page.value("document.querySelector('a[href^=\"/do/rollback\"]').offsetParent"), "not his to do"
    voted = approval(0, votes=(SeenVote("bob", "approve", NOW, "looked at it"),), reason="It waits for its timer.")
    await there.show(seen(approvals=(voted,)))
    await page.shows("bob: approve, “looked at it”", 10)


async def test_64_regions_with_two_in_trouble_are_one_look(
    there: Service, board: str, page: Page, tmp_path: Path
) -> None:
    base, states = seen(), {"r07": steady(ready=8), "r40": steady("1.3.0"), "r63": steady(ready=0)}
    many = tuple(
        replace(base.regions[0], region=name, state=states.get(name, steady()))
        for name in (f"r{one:02}" for one in range(64))
    )
    past = tuple(
        Past(str(one), "production", "production", f"1.3.{one}", "canary", "released", "ada", NOW - 9000 * one, 300.0)
        for one in range(200)
    )
    await there.show(replace(base, regions=(*many, *base.regions[3:]), past=past, count=1000, measured=measured()))
    await page.go(board)
    await page.shows("All 1000, with a filter")
    rows = "[...document.querySelectorAll('#environment-production tbody tr')].slice(0, 3).map(row => row.id)"
    assert await page.value(rows) == [f"region-production-{name}" for name in ("r63", "r07", "r00")]
    await picture(page, "board-64", tmp_path, width=1280, height=1180, whole=True)
    await picture(page, "board-64-phone", tmp_path, width=390, height=844)


async def test_an_order_is_given_by_keyboard_alone(there: Service, board: str, page: Page) -> None:
    await there.show(under_way())
    await log_in(page, board, there, "ada")
    for _ in range(20):
        await page.press("Tab", 9)
        if str(await page.value("document.activeElement.textContent")) == "Abort…":
            break
    # What changes meanwhile takes the focus from nobody.
    await there.show(under_way(weight=50))
    await page.shows("green 50 %", 10)
    assert await page.value("document.activeElement.textContent") == "Abort…"
    await page.press("Enter", 13)
    await page.shows("Abort production v1.5.0?")
    await page.until("document.activeElement.name == 'reason'", 10)
    await page.send("Input.insertText", text="wrong version")
    await page.press("Enter", 13)
    await page.shows(f"abort: told {RUN}.")
    assert there.scene.done == [("abort", RUN, "ada", "wrong version", "")]


async def test_a_page_that_hears_nothing_says_so_and_goes_on_after_a_restart(tmp_path: Path, page: Page) -> None:
    port = free_port()
    board = f"http://127.0.0.1:{port}"
    for number, state in enumerate((seen(), over())):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with service(folder, state, every=1.0, open_to_read=True) as there, served(there.app, port):
            if number == 0:
                await page.until(f"fetch('{board}/assets/board.js').then(() => true, () => true)")
                await page.go(board)
                await page.shows("v1.4.0 is live in all 3 regions")
            else:
                await page.shows("back in 6.2 s", 30)
                await page.go("about:blank")
        if number == 0:
            await page.value("heard = Date.now() - 20000, tick()")
            await page.shows("This page is not live: nothing was heard from Tidegate for 20 s.", 5)
            # The alarm is told once: who has it read aloud is not interrupted by every second.
            await page.value(_CHANGES)
            await page.shows("for 22 s.", 10)
            assert await page.value("changes") == 0
    page.complaints.clear()  # the browser tells that nobody answered: that was meant


_CHANGES = """globalThis.changes = 0; new MutationObserver(found => { changes += found.length; })
  .observe(document.querySelector('[role=alert]'), { characterData: true, childList: true, subtree: true })"""


class Proxy:
    """What stands before the service, as ASGI; while `down` it answers 502 to all, and streams end."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self.down, self.turned_away = app, False, 0
        app.state.ending = lambda: self.down

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.down and scope["type"] == "http":
            self.turned_away += 1
            await HTMLResponse("Bad Gateway", 502)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def test_a_page_goes_on_after_errors_of_a_proxy_and_leaves_when_logged_out(tmp_path: Path, page: Page) -> None:
    async with service(tmp_path, under_way(), every=1.0) as there:
        proxy = Proxy(there.app)
        async with served(proxy) as board:
            await log_in(page, board, there, "ada")
            loaded = await page.value("performance.timeOrigin")
            await page.value("document.querySelector('a[href^=\"/do/abort\"]').focus()")
            proxy.down = True
            await page.until("pause > SOONEST", 20)
            await there.show(under_way(weight=50))
            proxy.down = False
            await page.shows("green 50 %", 30)
            assert proxy.turned_away and await page.value("performance.timeOrigin") == loaded
            assert await page.value("document.activeElement.textContent") == "Abort…", "the focus was kept"
            await page.until("pause == SOONEST", 10)
            proxy.down = True
            await page.until("pause > SOONEST", 20)
            await there.world.sessions.end_all("ada", there.world.clock.now)
            proxy.down = False
            await page.until("location.pathname == '/login'", 30)
            await page.go("about:blank")
    page.complaints.clear()  # the browser tells of each 502: they were meant
