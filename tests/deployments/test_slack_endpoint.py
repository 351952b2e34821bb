"""Slack's buttons at the service: who is not Slack is turned away, and the vote is the voting's alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx
import pytest

from deployments.service.app import Health, application
from deployments.service.limits import Buckets
from deployments.service.slack import PATH, router
from release.errors import Refused, Unavailable

BODY = urlencode({"payload": json.dumps({"response_url": "ftp://nowhere"})}).encode()
HEADERS = {"X-Slack-Request-Timestamp": "1531420618", "X-Slack-Signature": "v0=abc"}


class Voting:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[tuple[bytes, str, str]] = []

    async def __call__(self, body: bytes, timestamp: str, signature: str) -> str:
        self.asked.append((body, timestamp, signature))
        if self.error is not None:
            raise self.error
        return "bob approved"


@asynccontextmanager
async def service(voting: Voting) -> AsyncIterator[httpx.AsyncClient]:
    async def nothing() -> dict[str, int]:
        return {}

    async def prefect() -> bool:
        return False

    app = application([router(voting)], Health(nothing, prefect), Buckets(1000, 1000))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tidegate") as http:
        yield http


async def test_a_press_is_handed_on_as_it_came() -> None:
    voting = Voting()
    async with service(voting) as http:
        answer = await http.post(PATH, content=BODY, headers=HEADERS)
    assert answer.status_code == 200
    assert voting.asked == [(BODY, "1531420618", "v0=abc")]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("too old", field="signature"), 401),
        (Refused("the requester cannot approve", field="person"), 200),
        (Unavailable("the database is away"), 200),
    ],
)
async def test_who_is_not_slack_is_turned_away_and_everybody_else_is_told_in_slack(
    error: Exception, status: int
) -> None:
    async with service(Voting(error)) as http:
        answer = await http.post(PATH, content=BODY, headers=HEADERS)
    assert answer.status_code == status
    assert "away" not in answer.text


async def test_a_large_body_is_not_read() -> None:
    voting = Voting()
    async with service(voting) as http:
        answer = await http.post(PATH, content=b"x" * 200_000, headers=HEADERS)
        without = await http.post(PATH, content=BODY)
    assert answer.status_code == 413
    assert (without.status_code, voting.asked[0][1:]) == (200, ("", "")), "the voting decides, and it refuses these"
