"""For each check before a production release: only that one fails, and the release is refused."""

from __future__ import annotations

import json

import pytest
from desk import PODS, Desk, Result, only
from images import made, remove
from look import Look, Regions

from release.model import Artifact
from release.wayback import FIRST, WayBack
from sandbox.shop import history
from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow
REGION = "us-east-1"
LIVE = "tidegate.dev/live"


@pytest.fixture(scope="module")
def candidate(desk: Desk, request: pytest.FixtureRequest) -> Artifact:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDEGATE_HOME", str(desk.home))
        return made(desk)


def release(desk: Desk, artifact: Artifact, *argv: str, **more: object) -> Result:
    return desk.tidegate("release", f"v{artifact.version}", *only(REGION), *argv, **more)  # type: ignore[arg-type]


def refused_by(result: Result, check: str, says: str) -> None:
    """Refused by that check alone, before anything, and every other one was listed as well."""
    assert (result.code, result.word) == (2, "refused"), result.text
    assert result.reason.startswith(f"pre-deployment checks: {check}: "), result.reason
    assert says in result.reason
    assert result.outcome["next_step"]
    assert result.text.count("NOT OK: ") == 1
    assert result.text.count("  ok: ") == (6 if check == "team told" else 5)


@pytest.mark.parametrize("body", [None, "<!-- what changes? -->\n"], ids=["no release", "an empty one"])
def test_without_release_notes(desk: Desk, look: Look, served: Regions, candidate: Artifact, body: str | None) -> None:
    before = look.versions()
    desk.write_notes(f"v{candidate.version}", body)
    try:
        result = release(desk, candidate)
        refused_by(result, "release notes", f"release of v{candidate.version}")
        table = look.table("checks-production", result.outcome["run"])
        assert [row["check"] for row in table if row["result"] == "FAILED"] == ["release notes"]
        assert len(table) == 6
    finally:
        desk.write_notes(f"v{candidate.version}", "- made for a test")
    assert look.versions() == before
    assert candidate.version not in " ".join(look.slack("releases"))


def test_github_down_is_no_missing_release(desk: Desk, look: Look, served: Regions, candidate: Artifact) -> None:
    before = look.versions()
    desk.fault("github", "500")
    result = release(desk, candidate, "--strategy", "rolling")
    assert (result.code, result.word) == (5, "unavailable"), result.text
    assert "GitHub" in result.reason
    result = release(desk, candidate)
    assert (result.code, result.word) == (5, "unavailable")
    assert "--strategy" in result.outcome["next_step"]
    assert look.versions() == before


@pytest.mark.parametrize(
    ("way_back", "says"),
    [
        (WayBack("failed", "1.4.0", reason="load failed"), "failed, to v1.4.0: load failed"),
        (WayBack("rehearsed", "1.4.0", back_s=70.0, forward_s=50.1, budget_s=120.0), "longer than the budget of 120 s"),
        (WayBack("off"), "not rehearsed"),
    ],
    ids=["failed", "slow", "off"],
)
def test_without_a_way_back(desk: Desk, look: Look, served: Regions, way_back: WayBack, says: str) -> None:
    artifact, before = made(desk, way_back), look.versions()
    refused_by(release(desk, artifact, "--accept-no-way-back"), "way back", says)
    assert look.versions() == before


def test_a_first_version_needs_a_word(desk: Desk, look: Look, served: Regions) -> None:
    artifact, before = made(desk, FIRST), look.versions()
    refused_by(release(desk, artifact), "way back", "none: first version")
    assert look.versions() == before


def test_a_version_over_an_irreversible_migration(desk: Desk, look: Look, served: Regions) -> None:
    version = ".".join(str(part) for part in _next(desk))
    migration = f"migrations:\n- {{name: drop-prices, version: {version}, irreversible: true}}\n"
    with application_file(desk, migration):
        artifact = made(desk)
    assert artifact.version == version
    refused_by(release(desk, artifact), "way back", "none: irreversible migration drop-prices")
    # With the acceptance, only what comes later can refuse it.
    home = desk.variant(tidegate={"backup": None})
    result = release(desk, artifact, "--accept-no-way-back", home=home)
    assert result.reason.startswith("backup.token: "), result.text
    assert "accepted by --accept-no-way-back" in result.text


def test_a_last_good_version_whose_image_is_gone(desk: Desk, look: Look, served: Regions, candidate: Artifact) -> None:
    with live_record(look, lambda record: {**record, "digest": "sha256:" + "0" * 64}):
        refused_by(release(desk, candidate), "last good version", "no longer in the registry")


def test_a_last_good_version_that_nobody_knows(desk: Desk, look: Look, served: Regions, candidate: Artifact) -> None:
    with live_record(look, lambda _: None):
        refused_by(release(desk, candidate), "last good version", "never recorded as live")


def test_migrations_that_are_not_declared(desk: Desk, look: Look, served: Regions) -> None:
    with application_file(desk, ""):
        artifact = made(desk)
    before = look.versions()
    refused_by(release(desk, artifact), "migrations", "does not say which migrations")
    assert look.versions() == before


def test_a_team_that_cannot_be_told(desk: Desk, look: Look, served: Regions, candidate: Artifact) -> None:
    desk.fault("slack", "500")
    refused_by(release(desk, candidate), "team told", "not told: ")
    assert look.digests() == served


def test_a_version_that_was_taken_back_until_a_person_lifts_that(desk: Desk, look: Look, served: Regions) -> None:
    artifact = made(desk)
    desk.behave(artifact.version, REGION, crashes=True)
    taken = release(desk, artifact)
    assert (taken.word, taken.outcome["quarantined"]) == ("recovered", True), taken.text
    look.back_on(served, REGION)
    desk.calm()
    before = look.versions()
    refused_by(release(desk, artifact), "quarantine", "it was taken back. ")
    assert look.versions() == before
    lifted = desk.tidegate("quarantine", "lift", f"v{artifact.version}", "--reason", "a price list was missing")
    assert lifted.code == 0, lifted.text
    result = release(desk, artifact)
    assert (result.code, result.word) == (0, "released"), result.text
    assert "lifted by ada at " in result.text
    assert look.digests()[REGION] == (artifact.digest, PODS)


def test_a_verified_image_that_is_gone(desk: Desk, look: Look, served: Regions) -> None:
    """Staging's word comes before all checks: without it nothing says which digest they would be about."""
    artifact, before = made(desk), look.versions()
    remove(artifact.digest)
    result = release(desk, artifact)
    assert (result.code, result.word) == (2, "refused"), result.text
    gone = f"tag: the image that staging verified ({artifact.digest[:19]}) is no longer in the registry."
    assert result.reason.startswith(gone), result.reason
    assert result.outcome["next_step"].startswith(f"Stage v{artifact.version} again")
    assert "  ok: " not in result.text
    assert look.versions() == before


def test_checks_can_be_turned_off_and_say_so(desk: Desk, look: Look, served: Regions, candidate: Artifact) -> None:
    home = desk.variant(production={"checks": {"release_notes": False, "team_told": False}})
    desk.write_notes(f"v{candidate.version}", None)
    desk.fault("slack", "500")
    try:
        result = release(desk, candidate, "--strategy", "rolling", home=home)
    finally:
        desk.write_notes(f"v{candidate.version}", "- made for a test")
        desk.calm()
    assert (result.code, result.word) == (0, "released"), result.text
    assert "turned off (checks.release_notes)" in result.text
    assert "turned off (checks.team_told)" in result.text


def test_the_body_of_the_release_chooses_the_strategy(desk: Desk, look: Look, served: Regions) -> None:
    artifact = made(desk)
    desk.write_notes(f"v{artifact.version}", "strategy: blue-green\n\n- made for a test")
    result = release(desk, artifact)
    assert (result.word, result.outcome["strategy"]) == ("released", "blue-green"), result.text
    told = [one for one in look.slack("releases") if f"v{artifact.version}" in one]
    assert "Strategy: blue-green" in next(one for one in told if "is about to be released" in one)
    assert "is live in production" in told[-1]


def _next(desk: Desk) -> tuple[int, int, int]:
    from release.versions import parse_tag

    newest = max(parse_tag(tag) for tag in git(desk.bare, "tag").split())
    return newest.major, newest.minor + 1, 0


class application_file:
    """The shop's tidegate.yaml with other migrations, until the end."""

    def __init__(self, desk: Desk, migrations: str) -> None:
        self._bare = desk.bare
        self._before = git(self._bare, "show", "main:tidegate.yaml")
        self._text = self._before.partition("migrations:")[0] + migrations

    def __enter__(self) -> None:
        history.add_commit(self._bare, "main", "feat: say another thing of migrations", {"tidegate.yaml": self._text})

    def __exit__(self, *error: object) -> None:
        history.add_commit(self._bare, "main", "feat: say it as before", {"tidegate.yaml": self._before})


class live_record:
    """The first region's record of what is live, changed until the end."""

    def __init__(self, look: Look, change: object) -> None:
        self._look, self._change = look, change

    def __enter__(self) -> None:
        context = f"production-{REGION}"
        found = json.loads(self._look.kubectl("get", "httproute", "shop", "-o", "json", context=context))
        self._text = found["metadata"]["annotations"][LIVE]
        changed = self._change(json.loads(self._text))  # type: ignore[operator]
        self._write(None if changed is None else json.dumps(changed))

    def __exit__(self, *error: object) -> None:
        self._write(self._text)

    def _write(self, text: str | None) -> None:
        patch = json.dumps({"metadata": {"annotations": {LIVE: text}}})
        self._look.kubectl("patch", "httproute", "shop", "--type", "merge", "-p", patch, context=f"production-{REGION}")
