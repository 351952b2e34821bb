"""Whatever is sent to the service by somebody who is not GitHub or Slack: nothing starts, and nothing breaks."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from hooks import MOST, PUSH, Door, door, headers, pushed, signed, sqlite
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import load
from deployments import voting
from deployments.service import slack
from deployments.service.webhook import PATH

SEEN = pushed("main")
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=90)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=15),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)


@st.composite
def forged(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    """A delivery that would start a run, with a signature that is not its own."""
    body = pushed(draw(st.sampled_from(["main", "develop", "feature/x", "hotfix/y"])), nonce=draw(st.integers()))
    good = signed(body)
    place = draw(st.integers(7, len(good) - 1))
    flipped = good[:place] + ("0" if good[place] != "0" else "1") + good[place + 1 :]
    key = draw(st.binary(max_size=40))
    wrong = st.sampled_from([flipped, good[7:], good[:place], good.upper(), signed(body, key), "sha1=" + good[7:47]])
    return body, headers(body, delivery=draw(st.uuids().map(str)), signature=draw(wrong | HEADER))


@st.composite
def replayed(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    event = draw(st.sampled_from(["push", "release", "pull_request", "ping"]))
    return SEEN, headers(SEEN, event, delivery=draw(st.uuids().map(str)))


@st.composite
def oversized(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    body = json.dumps({**PUSH, "padding": "x" * (MOST + draw(st.integers(0, 5_000)))}).encode()
    return body, headers(body, delivery=draw(st.uuids().map(str)))


@st.composite
def malformed(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    """Signed, and nothing that GitHub would send."""
    event = draw(st.sampled_from(["push", "release", "pull_request", "ping"]) | HEADER)
    spoilt = {**PUSH, draw(st.sampled_from(sorted(PUSH))): draw(JSON.filter(lambda value: not isinstance(value, str)))}
    body = draw(st.binary(max_size=300) | (JSON | st.just(spoilt)).map(lambda value: json.dumps(value).encode()))
    return body, headers(body, event, delivery=draw(st.uuids().map(str) | HEADER))


@st.composite
def truncated(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    whole = pushed("develop", nonce=draw(st.integers()))
    body = whole[: draw(st.integers(0, len(whole) - 1))]
    return body, headers(
        body, delivery=draw(st.uuids().map(str)), signature=signed(draw(st.sampled_from([whole, body])))
    )


@st.composite
def anything(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    names = st.sampled_from(["X-GitHub-Event", "X-GitHub-Delivery", "X-Hub-Signature-256", "Content-Type", "X-A"])
    return draw(st.binary(max_size=400)), draw(st.dictionaries(names, HEADER, max_size=5))


@st.composite
def pressed(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    """A press of a button that Slack did not sign."""
    now = st.just(f"{time.time():.0f}")
    stamp = now | st.sampled_from(["9" * 400, "9" * 5_000, "-1", "1e9", "nan", ""]) | HEADER
    body = draw(st.sampled_from([b"payload={}", b"payload=" + b"[" * 9_000]) | st.binary(max_size=300))
    made = draw(HEADER | HEADER.map(lambda text: f"v0={text}"))
    return body, {"X-Slack-Request-Timestamp": draw(stamp), "X-Slack-Signature": made}


BAD = forged() | replayed() | oversized() | malformed() | truncated() | anything()
METHODS = st.sampled_from(["POST"] * 12 + ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])
ELSEWHERE = [slack.PATH, "/", "/webhooks", f"{PATH}/", "/readyz", "/healthz", "/openapi.json", "/%00"]
PATHS = st.sampled_from([PATH] * 12 + ELSEWHERE)
Request = tuple[str, str, tuple[bytes, dict[str, str]]]
REQUESTS = st.tuples(METHODS, PATHS, BAD) | st.tuples(st.just("POST"), st.just(slack.PATH), pressed())
Send = Callable[[str, str, bytes, dict[str, str]], tuple[int, int]]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings with Slack's signing secret."""
    config = tmp_path_factory.mktemp("config")
    found = yaml.safe_load((load.folder() / "tidegate.yaml").read_text())
    found["slack"]["signing_secret"] = {"env": "SIGNING"}
    (config / "tidegate.yaml").write_text(yaml.safe_dump(found))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGNING", secrets.token_hex())
        patch.setenv("TIDEGATE_CONFIG", str(config))
        yield


async def vote(body: bytes, timestamp: str, signature: str) -> str:
    return voting.told(await voting.by_slack(body, timestamp, signature))


@pytest.fixture(scope="module")
def send(settled: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    """Send a request; its status, and how many deliveries are kept afterwards."""
    with asyncio.Runner() as runner:
        context = door(sqlite(tmp_path_factory.mktemp("door")), slack.router(vote))
        service: Door = runner.run(context.__aenter__())

        async def once(method: str, path: str, body: bytes, told: dict[str, str]) -> tuple[int, int]:
            raw = {name: value.encode("latin-1") for name, value in told.items()}
            answer = await service.http.request(method, path, content=body, headers=raw)
            return answer.status_code, len(await service.kept())

        try:
            assert runner.run(once("POST", PATH, SEEN, headers(SEEN, delivery=secrets.token_hex(8)))) == (202, 1)
            yield lambda *request: runner.run(once(*request))
        finally:
            runner.run(context.__aexit__(None, None, None))


def _starts_nothing(send: Send, request: Request) -> None:
    method, path, told = request
    status, kept = send(method, path, *told)
    assert status < 500
    assert status != 202
    assert kept == 1, "only the one that GitHub sent"
    assert path != slack.PATH or status != 200


CALM: dict[str, Any] = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=300, **CALM)
@given(request=REQUESTS)
def test_what_github_did_not_send_starts_nothing(send: Send, request: Request) -> None:
    _starts_nothing(send, request)


@pytest.mark.slow
@settings(max_examples=10_000, **CALM)
@given(request=REQUESTS)
def test_ten_thousand_requests_that_github_did_not_send_start_nothing(send: Send, request: Request) -> None:
    _starts_nothing(send, request)
