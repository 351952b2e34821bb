"""Development on the sandbox: what is built, what is deployed, and what is kept when checks fail."""

from __future__ import annotations

import itertools

import ask
import pytest
from desk import Desk, Result
from look import Look

from config import load
from sandbox.shop import history
from sandbox.shop.fastimport import git

pytestmark = pytest.mark.slow
STATUS = "tidegate/development"
CHECKS = ("lint", "unit", "integration", "audit", "sast")
_count = itertools.count(1)
ADVISORIES = (
    '{"audited": ["left-pad==1.0"], "advisories": '
    '[{"package": "left-pad", "version": "1.0", "severity": "%s", "text": "it is gone"}]}'
)
DEPENDENCY = {"requirements.txt": "left-pad==1.0\n"}
WRONG = {
    "tools/unused.py": "import os\n",
    "tests/unit/test_wrong.py": (
        "import unittest\n\n\nclass Wrong(unittest.TestCase):\n"
        "    def test_sum(self):\n        self.assertEqual(2, 3)\n"
    ),
    "tests/integration/test_wrong.py": (
        "import unittest\n\n\nclass Wrong(unittest.TestCase):\n"
        "    def test_gone(self):\n        raise OSError('gone')\n"
    ),
    "shop/unsafe.py": "VALUE = eval(input())\n",
    "advisories.json": ADVISORIES % "moderate",
    **DEPENDENCY,
}


def branch(desk: Desk, files: dict[str, str], family: str = "feature") -> tuple[str, str]:
    """A new branch from develop with these files: its name and its commit."""
    name = f"{family}/number-{next(_count)}-{git(desk.bare, 'rev-parse', 'develop')[:6]}"
    return name, history.add_commit(desk.bare, name, f"feat: {name}", {"note.txt": name, **files}, base="develop")


def develop(desk: Desk, files: dict[str, str]) -> str:
    """A commit on develop: its SHA."""
    return history.add_commit(desk.bare, "develop", "feat: more", {"note.txt": f"{next(_count)}", **files})


def table(result: Result, pipeline: str = "development") -> dict[str, dict[str, str]]:
    rows = ask.artifacts(result.outcome["run"])[f"checks-{pipeline}"]
    return {row["check"]: row for row in rows}


def states(commit: str) -> list[str]:
    return [one["state"] for one in ask.statuses(commit) if one["context"] == STATUS]


def test_a_branch_is_checked_and_built_and_not_deployed(desk: Desk, look: Look) -> None:
    # An advisory below the level is no reason to stop; a slow scan holds up nobody.
    slow = {"tools/sast.py": "import time\n\ntime.sleep(3)\n"}
    name, commit = branch(desk, {"advisories.json": ADVISORIES % "low", **DEPENDENCY, **slow})
    before = look.versions()
    result = desk.tidegate("develop", name)
    assert (result.code, result.word) == (0, "built"), result.text
    assert look.versions() == before
    digest, labels = ask.image(f"dev-{commit}") or ("", {})
    assert (digest, labels["org.opencontainers.image.version"]) == (result.outcome["digest"], f"dev-{commit}")
    assert ask.image("dev-latest") == (digest, labels)
    rows = table(result)
    assert {check: row["outcome"] for check, row in rows.items()} == dict.fromkeys(CHECKS, "passed")
    assert int(rows["unit"]["tests"]) > 0
    assert int(rows["integration"]["tests"]) > 0
    assert rows["unit"]["coverage"].endswith(" %")
    runs = ask.tasks(result.outcome["run"])
    for check in ("lint", "unit", "integration", "audit"):
        assert runs[check]["start_time"] < runs["sast"]["end_time"]
        assert runs["sast"]["start_time"] < runs[check]["end_time"]
    pending, success = (one for one in ask.statuses(commit) if one["context"] == STATUS)
    assert (pending["state"], success["state"]) == ("pending", "success")
    assert pending["target_url"] == success["target_url"]
    assert success["target_url"].endswith(f"/flow-run/{result.outcome['run']}")


def test_the_next_branch_takes_the_layers_of_the_one_before(desk: Desk, look: Look) -> None:
    desk.tidegate("develop", branch(desk, {})[0])
    before = ask.image("dev-latest")
    result = desk.tidegate("develop", branch(desk, {}, "bugfix")[0])
    assert (result.code, result.word) == (0, "built"), result.text
    assert ask.image("dev-latest") != before
    if load.settings().engine.builder == "engine":
        assert "---> Using cache" in "\n".join(ask.log(result.outcome["run"]))
        assert ask.fetched(result.outcome["run"], "dev-latest")


def test_every_check_counts_and_every_result_is_kept(desk: Desk, look: Look) -> None:
    name, commit = branch(desk, WRONG)
    result = desk.tidegate("develop", name)
    assert (result.code, result.word) == (3, "failed"), result.text
    assert result.reason.startswith("lint failed: exit code 1: tools/unused.py:1: os is imported and not used")
    assert "Also failed: unit, integration, audit, sast" in result.reason
    rows = table(result)
    assert {row["outcome"] for row in rows.values()} == {"failed"}
    assert rows["unit"]["failed"] == 1
    assert rows["unit"]["tests"] > 1
    assert "tests.unit.test_wrong.Wrong.test_sum: AssertionError: 2 != 3" in rows["unit"]["why"]
    assert "OSError: gone" in rows["integration"]["why"]
    assert "left-pad 1.0: moderate: it is gone" in rows["audit"]["why"]
    assert "shop/unsafe.py:1: B307: " in rows["sast"]["why"], "as bandit tells it"
    kept = ask.artifacts(result.outcome["run"])
    assert "tests.unit.test_wrong.Wrong.test_sum" in kept["check-report-development"]
    assert "<testsuite " in kept["results-development-integration"]
    files = {path.name for path in (desk.home / "work/runs" / result.outcome["run"] / "results").rglob("*.xml")}
    assert files == {"test-results-unit.xml", "test-results-integration.xml", "coverage.xml"}
    runs = ask.tasks(result.outcome["run"])
    assert {runs[check]["state"]["type"] for check in rows} == {"FAILED"}
    assert ask.image(f"dev-{commit}") is None
    assert states(commit) == ["pending", "failure"]


def test_develop_is_deployed(desk: Desk, look: Look) -> None:
    commit = develop(desk, {})
    result = desk.tidegate("develop")
    assert (result.code, result.word) == (0, "released"), result.text
    assert look.digests("development") == {"development": (result.outcome["digest"], 1)}
    assert look.live("development")["development"]["version"] == f"dev-{commit}"
    assert "development: smoke passed" in result.text
    assert look.deployments(commit) == {"development": ["in_progress", "success"]}
    assert ask.addresses(commit) == {"development": load.environment("development").regions["development"].address}
    again = desk.tidegate("develop", "refs/heads/develop")
    assert (again.code, again.word) == (0, "unchanged")
    assert "was built before" in again.text


def test_development_stays_as_it_is_when_the_smoke_test_fails(desk: Desk, look: Look) -> None:
    bad = develop(desk, {"tests/live/smoke.py": "import sys\n\nsys.exit('no smoke')\n"})
    result = desk.tidegate("develop")
    assert (result.code, result.word) == (3, "failed"), result.text
    assert result.reason.startswith("development: smoke failed with exit code 1: no smoke")
    assert result.reason.endswith("Development stays as it is: nothing was taken back.")
    assert look.digests("development") == {"development": (result.outcome["digest"], 1)}
    assert look.live("development")["development"]["version"] == f"dev-{bad}"
    assert look.deployments(bad) == {"development": ["in_progress", "failure"]}
    assert states(bad) == ["pending", "failure"]
    mended = develop(desk, {"tests/live/smoke.py": (history.TEMPLATE / "tests/live/smoke.py").read_text()})
    assert desk.tidegate("develop").word == "released"
    assert look.live("development")["development"]["version"] == f"dev-{mended}"


def test_a_roll_out_is_watched_for_its_time_and_no_longer(desk: Desk, look: Look) -> None:
    assert load.environment("development").rolling.timeout == 300
    before = look.digests("development")
    develop(desk, {"Dockerfile": history.dockerfile({"never-ready": "everywhere"})})
    home = desk.variant(development={"rolling": {"timeout_s": 3, "ready_within_s": 6000}})
    result = desk.tidegate("develop", home=home)
    assert result.word == "failed"
    assert "only 0 of 1 pods were ready after 3 s" in result.reason
    assert look.digests("development") == before
    develop(desk, {"Dockerfile": history.dockerfile({})})


def test_other_refs_are_refused(desk: Desk, look: Look) -> None:
    before = look.versions()
    result = desk.tidegate("develop", "hotfix/stock")
    assert (result.code, result.word) == (2, "refused")
    assert result.reason.startswith("ref: development builds feature/**, bugfix/** and develop")
    assert desk.tidegate("develop", "feature/nowhere").reason.startswith("ref: 'refs/heads/feature/nowhere' is neither")
    assert look.versions() == before


def pull(head: str) -> str:
    return str(ask.github("POST", "pulls", {"title": head, "head": head, "base": "develop"})["number"])


def test_a_pull_request_to_develop_is_built(desk: Desk, look: Look) -> None:
    name, commit = branch(desk, {}, "anybody")
    result = desk.tidegate("develop", "--pull", pull(name))
    assert (result.code, result.word) == (0, "built"), result.text
    assert ask.image(f"dev-{commit}") is not None
    assert states(commit) == ["pending", "success"]


def test_a_fork_is_never_built(desk: Desk, look: Look) -> None:
    name, commit = branch(desk, WRONG)
    git(desk.bare, "update-ref", f"refs/forks/mallory/{name}", commit)
    git(desk.bare, "update-ref", "-d", f"refs/heads/{name}")
    result = desk.tidegate("develop", "--pull", pull(f"mallory:{name}"))
    assert (result.code, result.word) == (2, "refused")
    assert result.reason.startswith("pull: pull request ")
    assert "comes from a fork (mallory/shop)" in result.reason
    assert ask.image(f"dev-{commit}") is None
    assert states(commit) == []
    assert not (desk.home / "work/runs" / result.outcome["run"]).exists()


def test_staging_runs_all_its_tests_beside_audit_and_scan(desk: Desk, look: Look) -> None:
    name, _ = branch(desk, {**WRONG, "tests/e2e/test_wrong.py": WRONG["tests/unit/test_wrong.py"]})
    before = look.versions()
    home = desk.variant(staging={"gates": {"protected_branch": name}})
    result = desk.tidegate("stage", name, "--version", "99.0.0", home=home)
    assert (result.code, result.word) == (3, "failed"), result.text
    rows = table(result, "staging")
    assert {check: row["outcome"] for check, row in rows.items()} == dict.fromkeys((*CHECKS, "e2e"), "failed")
    assert "<testsuite " in ask.artifacts(result.outcome["run"])["results-staging-e2e"]
    assert ask.image("staging-99.0.0") is None
    assert look.versions() == before
