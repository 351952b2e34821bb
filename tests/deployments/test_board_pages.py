"""The board's pages: what is shown to whom, what is asked before it is done, and what is written down."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from board_service import Service, service
from board_world import NOW, RUN, approval, artifact, crowded, finished, measured, seen, steady, under_way
from operator_world import Browser

from clients.releases import Releases
from release.board_seen import SeenFreeze
from release.errors import Refused, Unavailable


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Service]:
    async with service(tmp_path, seen(measured=measured())) as found:
        yield found


async def inside(there: Service, name: str = "ada") -> Browser:
    browser = there.someone()
    there.world.clock.now += 30
    assert (await browser.log_in(name)).status_code == 303
    return browser


class Checked(HTMLParser):
    """What a page must have for who cannot see it, and must not have for our own content policy."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.faults: list[str] = []
        self._labels = 0
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "id" in found:
            self.ids.append(str(found["id"]))
        self._labels += tag == "label"
        if "style" in found or any(name.startswith("on") for name in found):
            self.faults.append(f"{tag} has a style or a script of its own")
        if tag in ("input", "select") and found.get("type") != "hidden" and not self._labels:
            self.faults.append(f"{tag} {found.get('name')} has no label")
        if tag in ("progress", "img") and not (found.get("aria-label") or found.get("alt")):
            self.faults.append(f"{tag} has no name")
        if tag == "script" and not str(found.get("src")).startswith("/assets/"):
            self.faults.append("a script that is not ours")
        if tag in ("link", "img") and str(found.get("href") or found.get("src")).startswith(("http", "//")):
            self.faults.append("something from elsewhere")
        if tag not in ("meta", "link", "input", "img", "source", "rect", "line"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag, attrs

    def handle_endtag(self, tag: str) -> None:
        self._labels -= tag == "label"
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"{tag} is closed and was not open")


def check(html: str) -> None:
    found = Checked()
    found.feed(html)
    assert not found.faults
    assert len(found.ids) == len(set(found.ids)), "an id is there twice"
    assert "None" not in re.sub(r"<[^>]+>", "", html)


async def test_a_stranger_sees_nothing_unless_the_settings_say_so(there: Service, tmp_path: Path) -> None:
    nothing = ("/do/rollback/staging", f"/do/abort/{RUN}", "/do/nonsense/x")
    for path in (
        "/",
        "/events",
        "/here",
        "/history",
        f"/verdict/{RUN}/us-east-1.svg",
        "/do/rollback/production",
        *nothing,
    ):
        answer = await there.someone().get(path)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/login"), path
    (tmp_path / "open").mkdir()
    async with service(tmp_path / "open", seen(), open_to_read=True) as for_all:
        page = await for_all.someone().get("/")
        assert page.status_code == 200 and "v1.4.0 is live in all 3 regions" in page.text
        assert "Log in" in page.text and 'class=""' in page.text
        assert (await for_all.someone().get("/do/rollback/production")).status_code == 303


async def test_the_page_says_what_is_live_and_holds_nothing_foreign(there: Service) -> None:
    browser = await inside(there)
    page = await browser.get("/")
    check(page.text)
    assert "<title>✓ production: v1.4.0 is live in all 3 regions. · Tidegate</title>" in page.text
    assert 'class="may-see may-approve may-operate"' in page.text
    for expected in ("blue 100 %, v1.4.0, 10/10 pods", artifact("1.4.0").digest[7:19], "by", "ada", "Change fail rate"):
        assert expected in page.text


async def test_all_five_measures_are_drawn_by_week_and_what_has_no_data_says_so(there: Service) -> None:
    browser = await inside(there)
    page = (await browser.get("/")).text
    assert page.count('class="drawn"') == 5
    for expected in ("12 weeks, at most 8 in one", "12 weeks, oldest first: no data, 50%, 33%", "at most 1.5 h"):
        assert expected in page, expected
    await there.show(seen(measured=measured(0)))
    none = (await browser.get("/")).text
    check(none)
    assert none.count("by week: no data") == 4


@pytest.mark.parametrize("name", ["sam", "bob"])
async def test_what_somebody_may_not_do_is_neither_offered_nor_done(there: Service, name: str) -> None:
    browser = await inside(there, name)
    assert "may-operate" not in (await browser.get("/")).text
    assert (await browser.get("/do/rollback/production")).status_code == 403
    token = await browser.token()
    answer = await browser.post("/do/rollback/production", {"token": token, "reason": "x", "shown": "x"})
    assert answer.status_code == 403
    assert there.scene.done == []
    assert (name, "rollback refused") in await there.world.audit()


async def test_everything_at_once_is_a_sound_page(there: Service) -> None:
    votes = approval().votes
    freezes = (SeenFreeze("production", "weekend", NOW - 5, NOW + 9), SeenFreeze("staging", "x", NOW + 5, NOW + 9))
    whole = under_way(
        approvals=(
            approval(reason="it's waiting."),
            approval(0, "88bb", until=NOW + 300, break_glass="<fire>", votes=votes),
        ),
        freezes=freezes,
        measured=measured(0),
    )
    await there.show(replace(whole, courses=(replace(whole.courses[0], chart="7"),)))
    page = await (await inside(there)).get("/")
    check(page.text)
    for expected in (
        "Promote now…",
        "of about 9 min 20 s",
        "1 of 2 must still approve",
        "&lt;fire&gt;",
        "no data",
        f"/verdict/{RUN}/us-east-1.svg?7",
        "evidence against it in us-east-1",
        "it&#39;s waiting.",
    ):
        assert expected in page.text, expected


async def test_a_canarys_weights_are_rows_below_their_region(there: Service) -> None:
    await there.show(under_way())
    page = (await (await inside(there)).get("/")).text
    check(page)
    rows = re.findall(r'<tr class="weight (\w+)"(.*?)>(.*?)</tr>', page, re.DOTALL)
    text = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for *_, row in rows]
    assert [stage for stage, *_ in rows] == ["done", "running", "waiting", "waiting"]
    assert [attributes.strip() for _, attributes, _ in rows] == ["", 'aria-current="step"', "", ""]
    assert text[0] == "us-east-1 at 10 % done 1 min 0 s 1 min 2 s"
    assert text[1].startswith("us-east-1 at 25 % running since ") and text[1].endswith(" 1 min 11 s")
    assert text[2:] == ["us-east-1 at 50 % waiting not yet at least 30 s", "us-east-1 at 100 % waiting not yet 9.0 s"]
    assert f'data-since="{NOW - 40}"' in rows[1][2]
    assert 'aria-label="us-east-1 at 25 %: time it took, of what it usually takes"' in rows[1][2]
    await there.show(replace(under_way(), paces={}))
    unknown = (await (await inside(there)).get("/")).text
    check(unknown)
    assert 'aria-label="us-east-1 at 25 %: time it took, of what it takes at least"' in unknown


async def test_an_action_is_asked_about_done_once_and_written_down(there: Service) -> None:
    await there.show(under_way())
    browser = await inside(there)
    asked = await browser.get(f"/do/abort/{RUN}")
    check(asked.text)
    assert "goes back to the version that was live before" in asked.text and "us-east-1 25 %" in asked.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', asked.text))
    assert (await browser.post(f"/do/abort/{RUN}", fields)).status_code == 409, "it needs a reason"
    assert there.scene.done == []
    done = await browser.post(f"/do/abort/{RUN}", fields | {"reason": "wrong one"})
    assert done.status_code == 303
    assert there.scene.done == [("abort", RUN, "ada", "wrong one", "")]
    assert f"abort: told {RUN}." in (await browser.get(done.headers["location"])).text
    assert ("ada", "abort") in await there.world.audit()
    forged = await browser.get("/?done=all+is+well")
    assert "all is well" not in forged.text


async def test_what_changed_since_it_was_asked_about_is_asked_again(there: Service) -> None:
    browser = await inside(there)
    asked = await browser.get("/do/rollback/production")
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', asked.text)) | {"reason": "it is bad"}
    await there.show(seen({"us-east-1": steady("1.5.0")}))
    again = await browser.post("/do/rollback/production", fields)
    assert again.status_code == 409 and "has changed" in again.text and "it is bad" in again.text
    assert there.scene.done == []
    assert ("ada", "rollback refused") in await there.world.audit()


async def test_an_order_from_another_page_and_one_that_is_too_late_are_written_down(there: Service) -> None:
    await there.show(under_way())
    browser = await inside(there)
    forged = await browser.post(f"/do/hold/{RUN}", {"shown": "x"}, headers={"Origin": "http://elsewhere.test"})
    assert forged.status_code == 403 and ("ada", "hold refused") in await there.world.audit()
    await there.show(seen())
    late = await browser.post(f"/do/resume/{RUN}", {"token": await browser.token(), "shown": "x"})
    assert late.status_code == 422 and "no longer under way" in late.text
    assert ("ada", "resume refused") in await there.world.audit()


async def test_a_page_asks_whether_it_may_read_on(there: Service) -> None:
    assert (await (await inside(there)).get("/here")).status_code == 204


async def test_an_approval_takes_a_code(there: Service) -> None:
    await there.show(seen(approvals=(approval(),)))
    bob = await inside(there, "bob")
    asked = await bob.get("/do/approve/77aa")
    assert "One-time code" in asked.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', asked.text))
    await bob.post("/do/approve/77aa", fields | {"code": "123456", "reason": "good"})
    assert there.scene.done == [("approve", "77aa", "bob", "good", "123456")]


@pytest.mark.parametrize(("error", "status"), [(Refused("the code is wrong."), 409), (Unavailable("away."), 503)])
async def test_what_is_refused_is_said_and_written_down(
    there: Service, error: Refused | Unavailable, status: int
) -> None:
    await there.show(under_way())
    there.scene.error = error
    browser = await inside(there)
    asked = await browser.get(f"/do/hold/{RUN}")
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', asked.text))
    answer = await browser.post(f"/do/hold/{RUN}", fields)
    assert answer.status_code == status and error.what in answer.text
    assert ("ada", "hold refused") in await there.world.audit()


@pytest.mark.parametrize("field", ["text", "environment", "pipeline", "outcome"])
async def test_what_no_database_holds_is_not_looked_for(there: Service, field: str) -> None:
    assert (await (await inside(there)).get(f"/history?{field}=%00")).status_code == 422


async def test_a_page_that_is_left_open_does_not_keep_its_session(there: Service) -> None:
    browser = await inside(there)
    there.app.state.ending = lambda: True
    for _ in range(2):
        there.world.clock.now += 3_000
        # The stream looks whether it may go on, and the browser comes back by itself when it ends.
        assert (await browser.get("/events")).status_code == 200
    there.world.clock.now += 1_500
    assert (await browser.get("/")).status_code == 303


async def test_a_chart_is_shown_by_itself_and_runs_nothing(there: Service) -> None:
    there.scene.charts[RUN, "us-east-1", False] = "<svg/>"
    there.scene.charts[RUN, "us-east-1", True] = "<svg>narrow</svg>"
    browser = await inside(there)
    answer = await browser.get(f"/verdict/{RUN}/us-east-1.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "script" not in answer.headers["content-security-policy"]
    assert "narrow" in (await browser.get(f"/verdict/{RUN}/us-east-1.svg?narrow=1&7")).text
    assert (await browser.get(f"/verdict/{RUN}/nowhere.svg")).status_code == 422
    assert (await browser.get("/assets/base.html")).status_code == 422


async def test_the_history_is_filtered_and_paged(there: Service) -> None:
    await Releases(there.world.store).add([finished(number) for number in range(1000)])
    browser = await inside(there)
    page = await browser.get("/history")
    check(page.text)
    assert "1000 of" in page.text and "page 1 of 10" in page.text
    assert page.text.count("past-row-") == 100
    assert page.text.index("v2.0.999") < page.text.index("v2.0.998"), "newest first"
    recovered = await browser.get("/history?outcome=recovered&page=2")
    assert "250 of" in recovered.text and "page 2 of 3" in recovered.text
    one = await browser.get("/history?text=v2.0.123")
    assert "1 of" in one.text and "by" in one.text
    nothing = await browser.get("/history?text=%5F&page=x")
    assert "No data" in nothing.text
    assert (await browser.get("/history?page=99999999999999999999")).status_code == 200


async def test_64_regions_and_1000_releases_are_all_told(there: Service) -> None:
    """How soon is `make bench-board`'s to say."""
    await Releases(there.world.store).add([finished(number) for number in range(1000)])
    await there.show(crowded())
    browser = await inside(there)
    page = (await browser.get("/")).text
    check(page)
    assert all(f'id="region-production-r{one:02}"' in page for one in range(64))
    assert "All 1000, with a filter" in page
    history = (await browser.get("/history")).text
    check(history)
    assert "1000 of" in history
