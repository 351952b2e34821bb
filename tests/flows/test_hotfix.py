"""A hotfix, from its branch to the merges, and everything that can be wrong with one."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import ask
import pytest
from desk import PODS, Desk, Result
from look import Look, Regions

from config import load
from release import verification
from release.versions import Version, parse_tag, parse_version
from sandbox.shop import history
from sandbox.shop.fastimport import git
from tasks import context

pytestmark = pytest.mark.slow
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")


def live(look: Look) -> Version:
    (version,) = {one["version"] for one in look.live().values()}
    return parse_version(version)


def branch(desk: Desk, name: str, base: Version | str, labels: dict[str, str] | None = None, **files: str) -> str:
    """A hotfix branch with one commit on `base`; it merges by itself unless it changes what main changed."""
    at = base.tag if isinstance(base, Version) else base
    changed = {f"changes/{name}.md": f"- {name}\n", **files}
    changed |= {"Dockerfile": history.dockerfile(labels)} if labels else {}
    git(desk.bare, "update-ref", "-d", f"refs/heads/hotfix/{name}")  # of an earlier run on a sandbox that was kept
    history.add_commit(desk.bare, f"hotfix/{name}", f"fix: {name}", changed, at)
    return f"hotfix/{name}"


def next_of(desk: Desk, base: Version) -> Version:
    taken = {parse_tag(tag) for tag in git(desk.bare, "tag").split()}
    patch = base.patch + 1
    while Version(base.major, base.minor, patch) in taken:
        patch += 1
    return Version(base.major, base.minor, patch)


def lines(result: Result) -> list[str]:
    return [line.split("  ", 1)[-1].strip() for line in result.text.splitlines()]


def at(result: Result, part: str) -> int:
    """The place of the first line with that in it."""
    return next(number for number, line in enumerate(lines(result)) if part in line)


def record(commit: str) -> dict[str, Any]:
    async def read() -> Any:
        async with await context.registry() as registry:
            return await registry.read_record(verification.tag_of(commit))

    return dict(asyncio.run(read()) or {})


@pytest.fixture(scope="module")
def done(desk: Desk) -> dict[str, Any]:
    """What the one critical hotfix left, for the tests below; filled by the first of them."""
    return {}


def _since(began: float, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in messages if one["at"] > began]


@pytest.fixture
def critical(desk: Desk, look: Look, good: Regions, done: dict[str, Any]) -> dict[str, Any]:
    if not done:
        base = live(look)
        name = branch(desk, "price", base)
        done["version"], done["branch"] = next_of(desk, base), name
        done["base"], done["before"] = base, good["us-east-1"][0]
        began = time.time()
        done["result"] = desk.tidegate("hotfix", name)
        picture = look.picture()
        done["slack"], done["backups"] = _since(began, picture["slack"]), picture["backups"][-len(REGIONS) :]
        done["monitoring"] = picture["monitoring"][-1]
    assert done["result"].word == "released", done["result"].text
    return done


def test_it_is_live_everywhere_in_the_next_free_version(look: Look, critical: dict[str, Any]) -> None:
    result: Result = critical["result"]
    assert (result.code, result.outcome["version"]) == (0, str(critical["version"]))
    assert look.digests() == dict.fromkeys(REGIONS, (result.outcome["digest"], PODS))
    assert critical["monitoring"]["event"] == "deployment_success"
    assert critical["monitoring"]["version"] == critical["version"].tag


def test_only_the_critical_tests_run_with_audit_and_scan_beside_them(critical: dict[str, Any]) -> None:
    result = critical["result"]
    ran = {line.split(" passed")[0] for line in lines(result) if " passed in " in line}
    assert {"critical", "security", "audit", "sast"} <= ran
    assert not {"unit", "integration", "integration-critical", "e2e"} & ran
    runs = ask.tasks(result.outcome["run"])
    # Beside, not after: both begin before the second of the tests does.
    assert max(runs["audit"]["start_time"], runs["sast"]["start_time"]) < runs["security"]["start_time"]


def test_its_image_is_named_and_built_as_a_hotfix(critical: dict[str, Any]) -> None:
    version, digest = critical["version"], critical["result"].outcome["digest"]
    for tag in (f"hotfix-{version}", "hotfix-latest", version.tag):
        found = ask.image(tag)
        assert found is not None
        assert found[0] == digest, tag
        assert found[1]["dev.tidegate.build-type"] == "hotfix"
        assert found[1]["org.opencontainers.image.version"] == str(version)
    if load.settings().engine.builder == "engine":
        assert ask.fetched(critical["result"].outcome["run"], "staging-latest")


def test_its_digest_is_recorded_for_its_commit(critical: dict[str, Any]) -> None:
    outcome = critical["result"].outcome
    found = record(outcome["commit"])
    assert (found["digest"], found["version"]) == (outcome["digest"], outcome["version"])
    assert found["environment"] == "production (hotfix)"
    back = found["way_back"]
    assert (back["result"], back["version"]) == ("untried", str(critical["base"]))
    assert back["digest"] == critical["before"]


def test_one_region_at_a_time(critical: dict[str, Any]) -> None:
    result = critical["result"]
    places = [(at(result, f"wave: {one}"), at(result, f"{one}: v{critical['version']} is live")) for one in REGIONS]
    assert [place for pair in places for place in pair] == sorted(place for pair in places for place in pair)
    assert "1 person must approve: nobody has yet" in result.text


def test_each_region_is_told_and_backed_up_before_it_changes_and_probed_and_watched_after(
    critical: dict[str, Any],
) -> None:
    result, version = critical["result"], critical["version"]
    cards = [one for one in critical["slack"] if one["icon"] == ":fire:"]
    told = [one["text"] for one in critical["slack"] if "deployed successfully" in one["text"]]
    assert [(one["channel"], one["username"], one["color"]) for one in cards] == [
        ("incidents", "Emergency Deploy Bot", "danger")
    ] * 3
    for region, card, message in zip(REGIONS, cards, told, strict=True):
        facts = (f"Region: {region}", f"Version: {version.tag}", f"Branch: {critical['branch']}", "Severity: critical")
        assert all(fact in card["text"] for fact in facts)
        assert region in message
        assert version.tag in message
        assert "errors (" in message  # what the watch counted
        order = [
            f"{region}: backup ",
            f"{region}: shop-blue is being upgraded",
            f"{region}: health probe answered (1 of 5)",
            f"{region}: is watched for 15 s against 2.0% errors (limit), ",  # five minutes at speed 20
            f"{region}: {version.tag} is live",
        ]
        places = [at(result, line) for line in order]
        assert places == sorted(places)
    assert [(one["type"], one["region"], one["version"]) for one in critical["backups"]] == [
        ("emergency", region, version.tag) for region in REGIONS
    ]


def test_it_is_rolled_out_with_its_own_numbers(look: Look, critical: dict[str, Any]) -> None:
    context = f"production-{REGIONS[0]}"
    found = json.loads(look.kubectl("get", "deployment", "shop-blue", "-n", context, "-o", "json", context=context))
    assert found["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "50%", "maxUnavailable": "10%"}


def test_it_is_tagged_published_and_merged(desk: Desk, look: Look, critical: dict[str, Any]) -> None:
    outcome, tag = critical["result"].outcome, critical["version"].tag
    assert not outcome["warnings"]
    assert git(desk.bare, "cat-file", "-t", tag).strip() == "tag"
    assert git(desk.bare, "rev-parse", f"{tag}^{{commit}}").strip() == outcome["commit"]
    release = ask.github("GET", f"releases/tags/{tag}")
    body = release["body"]
    for fact in ("critical", critical["branch"], "fix: price", "security passed", *REGIONS, outcome["run"]):
        assert fact in body
    assert "unit passed" not in body
    for base, head in (("main", outcome["commit"]), ("develop", "main")):
        git(desk.bare, "merge-base", "--is-ancestor", head, base)
    assert f"hotfix {tag}" in git(desk.bare, "log", "-1", "--format=%s", "main")
    statuses = look.deployments(outcome["commit"])
    assert statuses == {f"production-{region}": ["in_progress", "success"] for region in REGIONS}


def test_asked_again_it_changes_nothing(desk: Desk, look: Look, critical: dict[str, Any]) -> None:
    before, tags, main = look.digests(), git(desk.bare, "tag"), git(desk.bare, "rev-parse", "main")
    again = desk.tidegate("hotfix", critical["branch"])
    assert (again.code, again.word, again.outcome["version"]) == (0, "unchanged", str(critical["version"]))
    assert (look.digests(), git(desk.bare, "tag"), git(desk.bare, "rev-parse", "main")) == (before, tags, main)


def test_its_tag_is_staged_and_released_as_any_other_without_a_new_image(
    desk: Desk, look: Look, critical: dict[str, Any]
) -> None:
    digest = critical["result"].outcome["digest"]
    tag = f"v{critical['version']}"
    staged = desk.tidegate("stage", tag)
    assert (staged.word, staged.outcome["digest"]) == ("released", digest), staged.text
    result = desk.tidegate("release", tag, "--accept-no-way-back")
    assert result.code == 0, result.text
    assert look.digests() == dict.fromkeys(REGIONS, (digest, PODS))


@pytest.mark.parametrize(
    ("name", "more", "field"),
    [
        ("feature/wishlist", (), "branch"),
        ("hotfix/", (), "branch"),
        ("hotfix/stock", ("--severity", "low"), "severity"),
    ],
)
def test_what_is_no_hotfix_is_refused(
    desk: Desk, look: Look, good: Regions, name: str, more: tuple[str, ...], field: str
) -> None:
    before = look.versions()
    result = desk.tidegate("hotfix", name, *more)
    assert (result.code, result.word) == (2, "refused")
    assert result.reason.startswith(f"{field}: ")
    assert result.outcome["next_step"]
    assert look.versions() == before


def test_a_branch_without_what_is_live_is_refused(desk: Desk, look: Look, good: Regions) -> None:
    name, before = branch(desk, "old", "v1.3.0"), look.versions()
    result = desk.tidegate("hotfix", name)
    assert (result.code, result.word) == (2, "refused")
    assert "us-east-1: branch: what is live" in result.reason
    assert f"is not in {name}" in result.reason
    assert look.versions() == before


def test_a_branch_with_nothing_new_is_refused(desk: Desk, look: Look, good: Regions) -> None:
    if ask.image(f"hotfix-{live(look)}") is not None:
        desk.released("v1.4.0")  # a hotfix's own commit would be gone on with
    name = "hotfix/nothing"
    git(desk.bare, "branch", "--force", name, f"{live(look).tag}^{{commit}}")
    before = look.versions()
    result = desk.tidegate("hotfix", name)
    assert (result.code, result.word) == (2, "refused")
    assert "holds nothing that" in result.reason
    assert look.versions() == before


def test_a_failing_test_stops_it_before_anything_changes(desk: Desk, look: Look, good: Regions) -> None:
    # It says at its end which of production's variables it got, and whether a secret was among them.
    broken = (
        "import atexit, os, sys, unittest\n\n\n"
        "atexit.register(lambda: print(os.environ['DB_HOST'], 'API_KEY' in os.environ, file=sys.stderr))\n\n\n"
        "class Broken(unittest.TestCase):\n    def test(self):\n        self.fail('sold out')\n"
    )
    name = branch(desk, "broken", live(look), **{"tests/integration/test_security.py": broken})
    before = look.versions()
    result = desk.tidegate("hotfix", name)
    assert (result.code, result.word) == (3, "failed")
    assert "security failed" in result.reason
    assert f"{load.environment('production').variables['DB_HOST']} False" in result.reason
    assert look.versions() == before


def test_a_region_that_errs_takes_it_back_everywhere(desk: Desk, look: Look, good: Regions) -> None:
    base = live(look)
    version, name = next_of(desk, base), branch(desk, "erring", base, {"error-rate": "eu-west-1=0.3"})
    main = git(desk.bare, "rev-parse", "main")
    result = desk.tidegate("hotfix", name)
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert result.reason.startswith("eu-west-1: ")
    assert "errors" in result.reason
    assert result.regions() == {"eu-west-1": "recovered", "us-east-1": "recovered", "ap-southeast-1": "unchanged"}
    look.back_on(good, "us-east-1", "eu-west-1")
    # Nothing is left that says it was released.
    assert version.tag not in git(desk.bare, "tag").split()
    assert ask.image(version.tag) is None
    assert git(desk.bare, "rev-parse", "main") == main
    told = look.slack("incidents")[-1]
    for part in (version.tag, "brought back", "<!here>", "us-east-1 is on"):
        assert part in told


def test_without_a_backup_no_region_is_touched(desk: Desk, look: Look, good: Regions) -> None:
    name = branch(desk, "unsaved", live(look))
    desk.fault("backup", "500")
    result = desk.tidegate("hotfix", name)
    assert result.code != 0
    assert "backup webhook answered 500" in result.reason
    assert look.digests() == good
    assert "is being upgraded" not in result.text


@pytest.mark.parametrize("missing", ["metrics", "users"])
def test_what_is_missing_is_no_health_until_a_person_says_so(
    desk: Desk, look: Look, good: Regions, missing: str
) -> None:
    name = branch(desk, f"blind-to-{missing}", live(look))
    with desk.start("hotfix", name) as running:
        running.until("us-east-1: is watched", within=240)
        if missing == "metrics":
            desk.fault("monitoring", "500")
        else:
            desk.users(0)
        with pytest.raises(AssertionError, match="never"):
            running.until("us-east-1: v", within=30)  # twice as long as it is watched
        desk.tidegate("promote", desk.under_way())
        result = running.end(600)
    assert (result.code, result.word) == (0, "released"), result.text
    assert any("nothing is concluded" in one for one in look.slack("incidents"))


def test_an_outage_of_the_metrics_is_no_time_that_was_watched(desk: Desk, look: Look, good: Regions) -> None:
    """They are away for longer than it is watched, and come back: then it is watched, and not over at once."""
    name = branch(desk, "blind-for-a-while", live(look))
    with desk.start("hotfix", name) as running:
        running.until("us-east-1: is watched", within=240)
        desk.fault("monitoring", "500")
        time.sleep(18)  # it is watched for 15 s
        desk.fault("monitoring", "ok")
        back = time.monotonic()
        running.until("us-east-1: ADVANCE after ", within=60)
        watched = time.monotonic() - back
        desk.steer("abort", "the test is over")
        result = running.end(300)
    # It may have been watched for a moment before.
    assert watched > 10
    assert (result.code, result.word) == (3, "recovered"), result.text
    assert look.digests() == good


def test_worse_than_before_and_below_the_limit_is_taken_back(desk: Desk, look: Look, good: Regions) -> None:
    """It fails 1.5 % of its users, of 2 % that it may; before, nobody failed."""
    desk.users(8)  # enough for evidence within the fifteen seconds
    name = branch(desk, "worse", live(look), {"error-rate": "us-east-1=0.015"})
    result = desk.tidegate("hotfix", name)
    assert (result.code, result.word) == (3, "recovered"), result.text
    said = r"us-east-1: ROLLBACK after \d+ s: \d\.\d% errors \(\d+/\d+\), before 0\.\d+%"
    assert re.match(said, result.reason), result.reason
    assert look.digests() == good


@pytest.fixture
def protected() -> Iterator[None]:
    ask.github("PUT", "branches/develop/protection", {})
    yield
    with suppress(ValueError):  # it answers with nothing
        ask.github("DELETE", "branches/develop/protection")


def pulls() -> dict[tuple[str, str], dict[str, Any]]:
    """(head, base) -> open pull request."""
    return {(one["head"]["ref"], one["base"]["ref"]): one for one in ask.github("GET", "pulls")}


def test_a_protected_branch_gets_a_pull_request_and_undoes_nothing(
    desk: Desk, look: Look, good: Regions, protected: None
) -> None:
    name = branch(desk, "guarded", live(look))
    home = desk.variant(production={"maintenance": {"mode": "banner"}})
    result = desk.tidegate("hotfix", name, "--severity", "medium", home=home)
    assert (result.code, result.word) == (0, "released"), result.text
    git(desk.bare, "merge-base", "--is-ancestor", result.outcome["commit"], "main")
    (warning,) = result.outcome["warnings"]
    assert warning.startswith("main is not merged into develop: develop is protected. Merge pull request http")
    assert f"v{result.outcome['version']}" in pulls()["main", "develop"]["title"]
    assert warning in look.slack("incidents")[-1]
    # As production releases: its backup, maintenance mode, tests, waves and numbers, and no emergency card.
    asked = {"type": "pre-release", "tag": f"v{result.outcome['version']}"}
    assert look.picture()["backups"][-1].items() >= asked.items()
    assert at(result, "maintenance mode is on") < at(result, "wave: us-east-1") < at(result, "maintenance mode is off")
    ran = {line.split(" passed")[0] for line in lines(result) if " passed in " in line}
    assert {"unit", "integration-critical", "audit", "sast"} <= ran
    assert not {"critical", "security"} & ran
    assert "wave: eu-west-1, ap-southeast-1" in result.text
    assert "is watched" not in result.text
    tag = f"v{result.outcome['version']}"
    assert not [one for one in look.picture()["slack"] if one["icon"] == ":fire:" and tag in one["text"]]


def test_a_conflict_gets_a_pull_request_and_undoes_nothing(desk: Desk, look: Look, good: Regions) -> None:
    name = branch(desk, "clash", live(look), **{"CHANGELOG.md": "- another history\n"})
    main, develop = git(desk.bare, "rev-parse", "main", "develop").split()
    result = desk.tidegate("hotfix", name, "--severity", "high")
    assert (result.code, result.word) == (0, "released"), result.text
    assert look.digests() == dict.fromkeys(REGIONS, (result.outcome["digest"], PODS))
    assert result.outcome["warnings"][0].startswith(f"{name} is not merged into main: they conflict. Merge pull")
    assert f"v{result.outcome['version']}" in pulls()[name, "main"]["title"]
    assert git(desk.bare, "rev-parse", "main", "develop").split() == [main, develop]
    desk.released("v1.4.0")  # for the tests after it, whose hotfixes are to merge
