"""What is wrong is answered before any effect, in one sentence that names the field and the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ask
import pytest
from desk import Desk, Result, release
from look import Look, Regions

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Case:
    """A command, what the overlay says instead, and what is answered: `field` and `rule` are in it. `run` is whether a
    run says so too: none can without a Prefect server, or the settings that name it."""

    argv: tuple[str, ...]
    field: str
    rule: str
    code: int = 2
    overlay: Mapping[str, Any] | None = None
    run: bool = True


def production(**changed: Any) -> Mapping[str, Any]:
    return {"production": changed}


def elsewhere(**changed: Any) -> Mapping[str, Any]:
    return {"production": {"regions": {"eu-west-1": changed}}}


# Stands for a good version that could be released.
ANOTHER = "a good tag"
RELEASE = release(ANOTHER)
TAG = "is not a release tag of the form vX.Y.Z"
CASES = {
    "a tag without v": Case(("release", "1.4"), "tag", TAG),
    "a tag of two numbers": Case(("release", "v1.4"), "tag", TAG),
    "a pre-release": Case(("release", "v1.4.0-rc1"), "tag", TAG),
    "a tag that is not there": Case(("release", "v77.0.0"), "tag", "no tag v77.0.0"),
    "an unknown region": Case((*RELEASE, "--region", "mars-1"), "region", "no region 'mars-1'"),
    "an unknown strategy": Case((*RELEASE, "--strategy", "yolo"), "strategy", "no strategy 'yolo'"),
    "never verified": Case(("release", "v1.3.0"), "tag", "staging never verified v1.3.0"),
    "a version to stage of two numbers": Case(("stage", "main", "--version", "1.4"), "version", "X.Y.Z"),
    "a commit that is not there": Case(("stage", "f" * 40), "ref", "f" * 12),
    "nothing releasable": Case(("stage", "chores"), "ref", "no commit since v1.8.0 is releasable"),
    "a chart that does not render": Case(
        RELEASE, "us-east-1: chart", "nonsense", 2, production(values={"nonsense": 1})
    ),
    "a chart that the API server does not take": Case(
        RELEASE,
        "us-east-1: chart",
        "securityContext.privilegd: field not declared in schema",
        2,
        production(values={"securityContext": {"privilegd": False}}),
    ),
    "an unknown context": Case(RELEASE, "eu-west-1", "mars", 2, elsewhere(context="mars")),
    "a missing file of a secret": Case(
        RELEASE, "secrets.API_KEY", "/nowhere is not there", 2, production(secrets={"API_KEY": {"file": "/nowhere"}})
    ),
    "a missing variable of a secret": Case(
        RELEASE,
        "secrets.DB_PASSWORD",
        "the variable NOT_SET is not there",
        2,
        production(secrets={"DB_PASSWORD": {"file": None, "env": "NOT_SET"}}),
    ),
    "a missing Kubernetes Secret": Case(
        RELEASE, "kubernetes_secret", "does not exist", 2, production(kubernetes_secret="other-secrets")
    ),
    "a broken environment file": Case(
        RELEASE, "production.yaml", "not valid YAML in line 2", 2, {"production": "a: 1\nb: ["}
    ),
    "an unknown key": Case(RELEASE, "replica", "Extra inputs are not permitted", 2, production(replica=3)),
    "a rule broken": Case(RELEASE, "replicas", "greater than or equal to 1", 2, production(replicas=0)),
    "broken settings": Case(
        RELEASE, "tidegate.yaml", "not valid YAML in line 2", 2, {"tidegate": "a: 1\nb: ["}, run=False
    ),
    "no Prefect server": Case(
        RELEASE,
        "prefect.api",
        "does not answer",
        5,
        {"tidegate": {"prefect": {"api": "http://127.0.0.1:9/api"}}},
        run=False,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_wrong_is_named_and_nothing_changes(desk: Desk, look: Look, another: str, case: Case) -> None:
    home = desk.variant(**case.overlay) if case.overlay else None
    before = look.versions()
    result = desk.tidegate(*(another if word == ANOTHER else word for word in case.argv), home=home)
    answered(look, result, case)
    assert look.versions() == before


def test_a_tag_whose_commit_is_not_on_main_is_refused(desk: Desk, look: Look, good: Regions) -> None:
    version, commit = desk.add_version(branch="develop")
    before = look.versions()
    result = desk.tidegate("release", f"v{version}")
    answered(look, result, Case((), "tag", f"the commit of v{version} ({commit[:12]}) is not on main"))
    assert look.versions() == before


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"values": {"nonsense": 1}}, "chart", "nonsense"),
        ({"secrets": {"API_KEY": {"file": "/nowhere"}}}, "secrets.API_KEY", "/nowhere is not there"),
        ({"kubernetes_secret": "other-secrets"}, "kubernetes_secret", "does not exist"),
        ({"regions": {"staging": {"context": "mars"}}}, "context", "mars"),
    ],
)
def test_staging_answers_before_anything_is_tested_or_pushed(
    desk: Desk, good: Regions, changed: Mapping[str, Any], field: str, rule: str
) -> None:
    version, _ = desk.add_version()
    newest = ask.image("staging-latest")
    result = desk.tidegate("stage", f"v{version}", home=desk.variant(staging=changed))
    assert result.code == 2, result.text
    assert field in result.text
    assert rule in result.text
    assert " passed in " not in result.text
    assert (ask.image(f"staging-{version}"), ask.image("staging-latest")) == (None, newest)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("registry", ("The registry ", "did not answer")),
        ("git", ("application.git", "did not answer")),
        ("kubernetes", ("eu-west-1: ", "API server", "did not answer")),
    ],
)
def test_an_outside_system_that_is_down_is_told(
    desk: Desk, look: Look, another: str, name: str, told: tuple[str, ...]
) -> None:
    before = look.versions()
    desk.fault(name, "down", "eu-west-1" if name == "kubernetes" else None)
    result = desk.tidegate(*release(another))
    desk.calm()
    assert (result.code, result.word) == (5, "unavailable"), result.text
    state = look.run(result.outcome["run"])["state"]
    assert state["name"] == "Unavailable"
    assert all(part in result.reason and part in state["message"] for part in told), result.reason
    assert result.outcome["next_step"]
    assert look.versions() == before


def answered(look: Look, result: Result, case: Case) -> None:
    """In one sentence, with the next step, and by a run that says so where there can be one."""
    assert result.code == case.code, result.text
    assert case.field in result.text
    assert case.rule in result.text
    assert "Next: " in result.text
    assert "Traceback" not in result.text
    assert bool(result.outcome) is case.run, result.text
    if case.run:
        state = look.run(result.outcome["run"])["state"]
        assert (state["type"], state["name"]) == ("FAILED", "Refused")
        assert case.field in state["message"]
        assert case.rule in state["message"]
