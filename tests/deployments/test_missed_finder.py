"""The service's own look for deliveries that were missed, where the list or the database is not to be had."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from app_hub import AppHub
from hooks import MOST, SECRET, door, headers, pushed, sqlite

from clients.deliveries import Deliveries
from clients.github_hooks import Hooks
from clients.store import Store
from deployments import doctor_service
from deployments.service.app import Health, application
from deployments.service.limits import Buckets
from deployments.service.missed import Finder
from deployments.service.webhook import PATH, Inbox, router
from release.triggers import Source

SOURCE = Source("example/shop", "main")
HOOK = {"id": 7, "config": {"url": f"https://tidegate.example{PATH}"}}


def github(*answers: httpx.Response) -> Hooks:
    left = list(answers)
    transport = httpx.MockTransport(lambda _: left.pop(0) if len(left) > 1 else left[0])
    return Hooks("https://api.github.example", "ghp_secret", "example/shop", transport=transport)


async def test_a_token_that_may_not_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "tidegate.service")
    no = httpx.Response(404, json={"message": "Not Found"})
    async with door(sqlite(tmp_path)) as service, github(no) as client:
        finder = Finder(service.deliveries, client, SOURCE, 0)
        assert [await finder.turn() for _ in range(3)] == [600, 600, 600]
    (record,) = caplog.records
    assert "list the webhooks of example/shop" in record.getMessage()


async def test_while_github_is_away_it_is_asked_again_a_minute_later(tmp_path: Path) -> None:
    away = [httpx.Response(502), httpx.Response(200, json=[HOOK]), httpx.Response(200, json=[])]
    async with door(sqlite(tmp_path)) as service, github(*away) as client:
        finder = Finder(service.deliveries, client, SOURCE, 0)
        assert [await finder.turn(), await finder.turn()] == [60, 600]


async def test_a_service_that_is_new_asks_for_nothing_of_before(tmp_path: Path) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        at = datetime.fromtimestamp(1_000, UTC).isoformat()
        old = {"id": 1, "guid": "g", "delivered_at": at, "status_code": 0}
        return httpx.Response(200, json=[HOOK] if request.url.path.endswith("/hooks") else [old])

    transport = httpx.MockTransport(answer)
    async with (
        door(sqlite(tmp_path)) as service,
        Hooks("https://api.github.example", "ghp_secret", "example/shop", transport=transport) as client,
    ):
        assert [await service.deliveries.since(now) for now in (1_005, 2_000)] == [1_005, 1_005]
        finder = Finder(service.deliveries, client, SOURCE, await service.deliveries.since(3_000))
        assert await finder.look(3_000) is False
    assert [one.url.path.rpartition("/")[2] for one in asked] == ["hooks", "deliveries"]


async def test_one_that_github_does_not_make_again_holds_up_no_other(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        at, path = datetime.now(UTC).isoformat(), request.url.path
        if request.method == "POST":
            asked.append(path.split("/")[-2])
            return httpx.Response(422 if "/1/" in path else 202, json={})
        if path.endswith("/hooks"):
            return httpx.Response(200, json=[HOOK])
        if path.endswith("/deliveries"):
            tries = [{"id": one, "guid": f"g-{one}", "delivered_at": at, "status_code": 0} for one in (1, 2, 3)]
            return httpx.Response(200, json=tries)
        body = json.loads(pushed("chores" if path.endswith("/3") else f"hotfix/{path[-1]}"))
        return httpx.Response(200, json={"event": "push", "request": {"payload": body}})

    transport = httpx.MockTransport(answer)
    async with (
        door(sqlite(tmp_path)) as service,
        Hooks("https://api.github.example", "ghp_secret", "example/shop", transport=transport) as client,
    ):
        finder = Finder(service.deliveries, client, SOURCE, 0)
        assert [await finder.turn() for _ in range(2)] == [600, 600]
    assert sorted(asked) == ["1", "2"], "each once; the third starts nothing"


async def test_what_an_apps_own_webhook_missed_is_asked_for_by_the_app(tmp_path: Path) -> None:
    hub = AppHub(json.loads(pushed()))
    async with (
        door(sqlite(tmp_path)) as service,
        Hooks("https://api.github.example", hub.app, "example/shop", transport=hub.transport) as client,
    ):
        finder = Finder(service.deliveries, client, SOURCE, 0)
        assert [await finder.turn() for _ in range(2)] == [600, 600]
    assert hub.made_again == [5]
    client = Hooks("https://api.github.example", hub.app, "example/shop", transport=hub.transport)
    assert (await doctor_service.missed(client)).grade == "ok"


async def test_a_delivery_that_cannot_be_kept_is_looked_for_later() -> None:
    async def down() -> dict[str, int]:
        return {}

    async def prefect() -> bool:
        return False

    lost: list[bool] = []
    nowhere = Deliveries(Store("postgresql://nobody@127.0.0.1:9/x", timeout=2))
    inbox = Inbox(SECRET, SOURCE, nowhere, MOST, lambda: None, lambda: lost.append(True))
    app = application([router(inbox)], Health(down, prefect), Buckets(1000, 1000))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tidegate") as http:
        answer = await http.post(PATH, content=pushed(), headers=headers(pushed()))
    assert (answer.status_code, lost) == (503, [True])


@pytest.mark.parametrize(
    ("answer", "grade", "says"),
    [
        (httpx.Response(200, json=[HOOK]), "ok", "GitHub knows it"),
        (httpx.Response(200, json=[]), "note", "Add it at GitHub"),
        (httpx.Response(403, json={"message": "No."}), "note", "permission"),
        (None, "note", "read and write webhooks"),
    ],
)
async def test_the_doctor_says_whether_it_can_look(answer: httpx.Response | None, grade: str, says: str) -> None:
    found = await doctor_service.missed(None if answer is None else github(answer))
    assert found.grade == grade
    assert says in f"{found.detail} {found.mend}"
