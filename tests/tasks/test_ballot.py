"""Voting by code and by a button in Slack: the settings' people, a database, and nothing of Prefect."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pyotp
import pytest
import yaml

from clients.ballots import Asked, Ballots
from clients.store import Store
from config import load
from release.errors import Refused
from release.gates_code import code_at
from release.gates_slack import buttons
from release.gates_votes import Bound
from tasks import ballot

SECRET = pyotp.random_base32()
SIGNING = "8f742231b10e8888abcd99yyyzzz85a5"
RUN = "3f2a0000-1111-4222-8333-444455556666"
BOUND = Bound("production of shop", "sha256:new", "canary", ("us",), {"us": ("1.4.0", "sha256:old")})


@pytest.fixture
async def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """A release of ada's waits for two; bob and eve may approve, sam may only see."""
    config = tmp_path / "config"
    config.mkdir()
    for path in load.folder().glob("*.yaml"):
        (config / path.name).write_text(path.read_text())
    (tmp_path / "totp").write_text(SECRET)
    (tmp_path / "signing").write_text(SIGNING)
    (tmp_path / "url").write_text(f"sqlite:///{tmp_path / 'store.db'}")
    settings = yaml.safe_load((config / "tidegate.yaml").read_text())
    settings["database"] = {"url": {"file": str(tmp_path / "url")}}
    settings["slack"]["signing_secret"] = {"file": str(tmp_path / "signing")}
    totp = {"file": str(tmp_path / "totp")}
    settings["people"] = {
        "ada": {"roles": ["operate"], "slack": "U1", "totp": totp},
        "bob": {"roles": ["approve"], "slack": "U2", "totp": totp},
        "eve": {"roles": ["approve"], "totp": totp},
        "sam": {"roles": ["see"], "slack": "U4", "totp": totp},
    }
    (config / "tidegate.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setenv("TIDEGATE_CONFIG", str(config))
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path))
    url = (tmp_path / "url").read_text()
    async with Store(url) as store:
        request = Asked(RUN, "production 1.5.0", "production", "ada", 2, time.time(), BOUND, "approvals")
        await Ballots(store).open(request, True, 0)

    async def votes() -> list[tuple[str, str, str]]:
        async with Store(url) as store:
            return [(vote.person, vote.decision, vote.via) for vote in await Ballots(store).votes(BOUND.key)]

    return votes


def code(shift: int = 0) -> str:
    return code_at(SECRET, time.time() + 30 * shift)


async def test_a_code_is_a_vote_and_it_says_how_many_are_there(asked: Callable[[], object]) -> None:
    cast = await ballot.approve_by_code("3f2a", "bob", code(), "approve", "", "cli")
    assert (cast.vote.person, cast.approved, cast.request.needed) == ("bob", 1, 2)
    assert (await ballot.approve_by_code(RUN, "eve", code(), "approve", "", "prefect")).approved == 2
    assert await asked() == [("bob", "approve", "cli"), ("eve", "approve", "prefect")]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "given", "decision", "says"),
    [
        ("ada", None, "approve", "who asked cannot approve"),
        ("sam", None, "approve", "nobody called 'sam' may approve"),
        ("mallory", None, "approve", "nobody called 'mallory'"),
        ("bob", "000000", "approve", "the code is wrong"),
        ("bob", None, "maybe", "no decision"),
        ("bob", None, "reject", "needs a reason"),
    ],
)
async def test_what_is_no_vote(
    asked: Callable[[], object], name: str, given: str | None, decision: str, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        await ballot.approve_by_code(RUN, name, given or code(), decision, "", "cli")
    assert await asked() == []  # type: ignore[misc]


async def test_a_code_counts_as_of_when_it_was_given(asked: Callable[[], object]) -> None:
    late = time.time() - 600
    cast = await ballot.approve_by_code(RUN, "bob", code_at(SECRET, late), "approve", "", "prefect", given=late)
    assert cast.approved == 1


def pressed(user: str, trigger: str = "1.2", action: int = 0, run: str = RUN) -> bytes:
    """What Slack sends for a press of a button of ours."""
    element = buttons(run)[0]["blocks"][0]["elements"][action]
    actions = [{"action_id": element["action_id"], "value": element["value"], "action_ts": "17.5"}]
    return urlencode(
        {"payload": json.dumps({"user": {"id": user}, "trigger_id": trigger, "actions": actions})}
    ).encode()


def signature(body: bytes, at: float, secret: str = SIGNING) -> tuple[str, str]:
    stamp = f"{at:.0f}"
    made = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return stamp, f"v0={made}"


async def test_a_button_of_slack_is_a_vote_once(asked: Callable[[], object]) -> None:
    body = pressed("U2")
    cast = await ballot.approve_by_slack(body, *signature(body, time.time()))
    assert (cast.vote.person, cast.vote.via, cast.approved) == ("bob", "slack", 1)
    with pytest.raises(Refused, match="used before"):
        await ballot.approve_by_slack(body, *signature(body, time.time()))


async def test_what_slack_did_not_sign_is_nothing(asked: Callable[[], object]) -> None:
    body, now = pressed("U2"), time.time()
    wrong = [
        signature(body, now, "another"),
        signature(body, now - 400),
        signature(body + b"x", now),
        ("x", "v0="),
        ("", ""),
        (f"{now:.0f}", "v0=é"),
        ("9" * 400, "v0="),
    ]
    for stamp, made in wrong:
        with pytest.raises(Refused, match="signature"):
            await ballot.approve_by_slack(body, stamp, made)
    assert await asked() == []  # type: ignore[misc]


@pytest.mark.parametrize("user", ["U1", "U4", "U9"])
async def test_who_may_not_may_not_in_slack_either(asked: Callable[[], object], user: str) -> None:
    body = pressed(user)
    with pytest.raises(Refused):
        await ballot.approve_by_slack(body, *signature(body, time.time()))
    assert await asked() == []  # type: ignore[misc]


async def test_what_is_no_button_of_ours_is_refused(asked: Callable[[], object]) -> None:
    for body in (
        b"",
        b"payload=%7B",
        b"payload=[]",
        b"payload=" + b"[" * 50_000,
        b"\xff",
        pressed("U2", run="nothing"),
    ):
        with pytest.raises(Refused):
            await ballot.approve_by_slack(body, *signature(body, time.time()))
