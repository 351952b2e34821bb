"""GitHub's rate limits: waited for when short, never asked into when long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from github_clock import Clock

from clients.github import GitHub
from clients.github_limit import limit_of
from release.errors import Unavailable

RELEASE = {"tag_name": "v1.4.0", "draft": False, "prerelease": False, "html_url": "http://github.test/1"}


class Answers:
    """GitHub answers these one after the other, and the last one again and again; counts what it was asked."""

    def __init__(self, *answers: Callable[[], httpx.Response]) -> None:
        self._answers = list(answers)
        self.asked = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return (self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])()

    def github(self, clock: Clock, **more: Any) -> GitHub:
        transport = httpx.MockTransport(self)
        return GitHub("https://api.github.test", "ghp_x", "acme/shop", limit=clock.limit, transport=transport, **more)


def good() -> httpx.Response:
    return httpx.Response(200, json=RELEASE)


def refusing(status: int, said: str = "", **headers: str) -> Callable[[], httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda: httpx.Response(status, json={"message": said or "no"}, headers=named)


def primary(seconds: int) -> Callable[[], httpx.Response]:
    def answer() -> httpx.Response:
        ends = str(int(time.time()) + seconds)
        return refusing(403, x_ratelimit_remaining="0", x_ratelimit_reset=ends)()

    return answer


@pytest.mark.parametrize(
    ("refusal", "wait"),
    [
        (refusing(429, retry_after="7"), 7),
        (refusing(403, retry_after="60"), 60),
        (refusing(429), 60),
        (refusing(403, "You have exceeded a secondary rate limit. Please wait."), 60),
        (primary(30), 30),
        (primary(-5), 1),
    ],
)
async def test_a_short_limit_is_waited_for_and_then_asked_once_more(
    refusal: Callable[[], httpx.Response], wait: float
) -> None:
    clock, answers = Clock(), Answers(refusal, good)
    async with answers.github(clock) as github:
        assert await github.release("v1.4.0") is not None
    assert clock.waited == [pytest.approx(wait, abs=1.5)]
    assert answers.asked == 2


async def test_a_limit_that_goes_on_is_told_after_the_second_refusal() -> None:
    clock, answers = Clock(), Answers(refusing(429, retry_after="7"))
    async with answers.github(clock) as github:
        with pytest.raises(Unavailable, match=r"rate limit is reached. Next: Try again in 7 s\."):
            await github.release("v1.4.0")
    assert (clock.waited, answers.asked) == ([7], 2)


@pytest.mark.parametrize("refusal", [refusing(429, retry_after="61"), primary(1800)])
async def test_a_long_limit_is_told_at_once_and_not_asked_into_until_it_ends(
    refusal: Callable[[], httpx.Response],
) -> None:
    clock, answers = Clock(), Answers(refusal, good)
    for _ in range(3):
        async with answers.github(clock) as github:
            with pytest.raises(Unavailable, match=r"Try again in \d+ s, after \d\d:\d\d UTC\."):
                await github.release("v1.4.0")
    assert (clock.waited, answers.asked) == ([], 1)
    clock.time += 1801
    async with answers.github(clock) as github:
        assert await github.release("v1.4.0") is not None
    assert answers.asked == 2


async def test_another_call_waits_for_a_limit_that_has_become_short_without_asking_before() -> None:
    clock, answers = Clock(), Answers(refusing(429, retry_after="100"), good)
    async with answers.github(clock) as github:
        with pytest.raises(Unavailable):
            await github.release("v1.4.0")
        clock.time += 60
        assert await github.release("v1.4.0") is not None
    assert (clock.waited, answers.asked) == ([40], 2)


async def test_who_has_no_patience_waits_for_no_limit() -> None:
    clock, answers = Clock(), Answers(refusing(429, retry_after="5"), good)
    async with answers.github(clock, patience=0) as github:
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"Try again in 5 s\."):
                await github.release("v1.4.0")
    assert (clock.waited, answers.asked) == ([], 1)


async def test_what_is_no_limit_is_asked_once() -> None:
    clock, answers = Clock(), Answers(refusing(403), good)
    async with answers.github(clock) as github:
        with pytest.raises(Exception, match="may not"):
            await github.release("v1.4.0")
    assert (clock.waited, answers.asked) == ([], 1)


def test_a_limit_is_one_githubs_and_one_credentials() -> None:
    here = limit_of("https://api.github.test", "a")
    assert limit_of("https://api.github.test", "a") is here
    assert limit_of("https://api.github.test", "b") is not here
    assert limit_of("https://other.test", "a") is not here
