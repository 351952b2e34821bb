"""GitHub's record of deliveries, at the transport."""

from __future__ import annotations

import httpx
import pytest

from clients.github_hooks import Hooks
from release.errors import Refused

HOOK = [{"id": 7, "config": {"url": "https://tidegate.example/webhooks/github?x=1"}}, {"id": 8, "config": {}}]


def hooks(*answers: httpx.Response) -> tuple[Hooks, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return left.pop(0)

    url = "https://api.github.example"
    return Hooks(url, "ghp_secret", "acme/shop", transport=httpx.MockTransport(answer)), asked


def item(number: int, at: str, status: int = 502) -> dict[str, object]:
    return {"id": number, "guid": f"g-{number}", "delivered_at": at, "status_code": status}


async def test_the_webhook_is_known_by_the_path_that_it_calls() -> None:
    client, _ = hooks(httpx.Response(200, json=HOOK[::-1]), httpx.Response(200, json=HOOK))
    async with client:
        assert await client.find("/webhooks/github") == 7
        with pytest.raises(Refused, match="ends in /elsewhere"):
            await client.find("/elsewhere")


@pytest.mark.parametrize("status", [403, 404])
async def test_a_token_that_may_not_see_webhooks_is_refused(status: int) -> None:
    client, _ = hooks(httpx.Response(status, json={"message": "Not for you."}))
    async with client:
        with pytest.raises(Refused, match=r"list the webhooks of acme/shop"):
            await client.find("/webhooks/github")


async def test_pages_are_followed_as_far_back_as_is_asked() -> None:
    link = {"Link": '<https://api.github.example/x?per_page=100&cursor=v1_9>; rel="next"'}
    pages = [
        httpx.Response(200, json=[item(4, "1970-01-01T00:10:00Z")], headers=link),
        httpx.Response(200, json=[item(3, "1970-01-01T00:05:00.5Z"), item(2, "1970-01-01T00:01:00Z")], headers=link),
    ]
    client, asked = hooks(*pages)
    async with client:
        found = await client.failed(7, 200)
    assert [(one.id, one.delivery, one.at, one.status) for one in found] == [
        (4, "g-4", 600, 502),
        (3, "g-3", 300.5, 502),
    ]
    assert [one.url.params.get("cursor") for one in asked] == [None, "v1_9"]
    assert {one.url.params["status"] for one in asked} == {"failure"}


async def test_an_answer_without_another_page_is_the_last() -> None:
    client, asked = hooks(httpx.Response(200, json=[]))
    async with client:
        assert await client.failed(7, 0) == []
    assert len(asked) == 1
