from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from config import load
from release.errors import Refused

Edit = Callable[[str, str], None]


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """The shipped configuration, copied, with a home of its own; `edit(name, yaml)` lays keys over one file."""
    shutil.copytree(load.CHECKOUT / "config", tmp_path / "config", ignore=shutil.ignore_patterns("*.py", "__py*"))
    monkeypatch.setenv("TIDEGATE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "home"))

    def write(name: str, text: str) -> None:
        path = tmp_path / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **yaml.safe_load(text)}))

    return write


@pytest.mark.parametrize("name", load.ENVIRONMENTS)
def test_the_shipped_files_are_valid(name: str) -> None:
    assert load.environment(name, speed=1).name == name


def test_the_originals_numbers_are_the_defaults() -> None:
    production = load.environment("production", speed=1)
    assert (production.replicas, production.rolling.max_surge, production.rolling.timeout) == (10, "25%", 1200)
    assert (production.probe.attempts, production.probe.gap) == (10, 30)
    assert (production.gates.approvals, production.gates.wait) == (2, 1800)
    hotfix = production.hotfix
    assert (hotfix.max_unavailable, hotfix.max_surge, hotfix.timeout) == ("10%", "50%", 300)
    assert (hotfix.attempts, hotfix.gap, hotfix.approvals) == (5, 10, 1)
    assert (hotfix.watch, hotfix.before, hotfix.error_limit, hotfix.alpha) == (300, 600, 0.02, 0.001)
    guard = production.guard
    assert (guard.limit, guard.alpha, guard.on_bad, production.progressive.window) == (0.01, 0.001, "page", 1800)
    staging = load.environment("staging", speed=1)
    assert (staging.replicas, staging.rolling.timeout, staging.gates.wait) == (3, 600, 300)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("rolling: {max_surge: 25 percent}", r"production.yaml: rolling.max_surge: "),
        ("rolling: {max_surge: 0, max_unavailable: 0}", "could never move"),
        ("waves: [[us-east-1], [mars]]", "waves name regions that are not in regions: mars"),
        ("waves: [[us-east-1]]", "each region exactly once"),
        ("replicas: 0", "production.yaml: replicas: "),
        ("replcas: 3", "production.yaml: replcas: "),
        ("secrets: {API_KEY: {env: A, file: /b}}", "exactly one of env, file, prefect"),
        ("secrets: {API_KEY: hunter2}", "production.yaml: secrets.API_KEY: "),
        ("traffic: mesh", "production.yaml: traffic: "),
        (
            "{traffic: service, maintenance: {mode: block}}",
            "but a Service cannot answer 503 (traffic: service) in ap-",
        ),
        ("variables: {DB_PASSWORD: x}", "both as variable and as secret: DB_PASSWORD"),
        (
            "variables: {ENVIRONMENT: x, REGION: y}",
            "Tidegate gives these names their values itself: ENVIRONMENT, REGION",
        ),
        ("{variables: {}, secrets: {API_URL: {env: A}}}", "Tidegate gives these names their values itself: API_URL"),
    ],
)
def test_a_mistake_is_named_by_its_key_and_rule(edit: Edit, broken: str, says: str) -> None:
    edit("production", broken)
    with pytest.raises(Refused) as raised:
        load.environment("production", speed=1)
    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_yaml_or_missing_is_named(edit: Edit) -> None:
    (load.folder() / "staging.yaml").write_text("regions: [unclosed")
    with pytest.raises(Refused, match="staging.yaml: not valid YAML in line"):
        load.environment("staging", speed=1)
    (load.folder() / "staging.yaml").unlink()
    with pytest.raises(Refused, match="the file is missing"):
        load.environment("staging", speed=1)


def _latin(path: Path) -> None:
    path.write_bytes("name: K\u00f6ln".encode("latin-1"))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_latin, "is not UTF-8 text"),
        (_folder, "cannot be read: Is a directory"),
        (lambda path: path.write_text("replicas: 2026-13-45"), "not valid YAML: month must be in 1..12"),
        (lambda path: path.write_text("1: one"), "the key 1 is no text"),
    ],
)
@pytest.mark.parametrize("name", ["tidegate", "production"])
def test_a_file_that_cannot_be_read_is_refused(edit: Edit, name: str, spoil: Callable[[Path], None], says: str) -> None:
    spoil(load.folder() / f"{name}.yaml")
    with pytest.raises(Refused, match=says) as raised:
        load.environment("production", speed=1)
    assert raised.value.field == f"{name}.yaml"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_so_is_one_that_may_not_be_read(edit: Edit) -> None:
    (load.folder() / "tidegate.yaml").chmod(0)
    with pytest.raises(Refused, match="cannot be read: Permission denied"):
        load.settings()


def test_a_variable_for_a_whole_section_must_be_json(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE__SLACK", "hunter2")
    with pytest.raises(Refused, match="no JSON object") as raised:
        load.settings()
    assert raised.value.field == "TIDEGATE__SLACK"
    assert "hunter2" not in str(raised.value)


def test_an_overlay_leaves_no_real_region_among_simulated_ones(edit: Edit) -> None:
    region = {"context": "c", "namespace": "n", "address": "http://127.0.0.1:1"}
    overlay = {"regions": {"here": region}, "waves": [["here"]], "rolling": {"timeout_s": 5}}
    (load.home() / "overlay").mkdir(parents=True)
    (load.home() / "overlay" / "production.yaml").write_text(yaml.safe_dump(overlay))
    found = load.environment("production", speed=1)
    assert list(found.regions) == ["here"]
    assert (found.rolling.timeout, found.rolling.max_surge) == (5, "25%")


def test_speed_divides_waits_and_keeps_time_outs(edit: Edit) -> None:
    edit("tidegate", "{target: sandbox, sandbox: {speed: 10}}")
    found = load.environment("production")
    assert (found.probe.gap, found.probe.timeout, found.rolling.timeout, found.gates.wait) == (3, 5, 1200, 180)
    assert (found.hotfix.gap, found.hotfix.watch, found.hotfix.timeout) == (1, 30, 300)


@pytest.mark.parametrize(("said", "kept"), [(30, 3.0), (5, 1.0), (0.5, 0.5)])
def test_speed_leaves_a_gateway_a_second_to_take_a_weight_over(edit: Edit, said: float, kept: float) -> None:
    edit("tidegate", "{target: sandbox, sandbox: {speed: 10}}")
    edit("production", f"verdict: {{settle_s: {said}}}")
    assert load.environment("production").judged.policy.settle == kept


def test_a_real_target_has_no_speed(edit: Edit) -> None:
    edit("tidegate", "{target: real, sandbox: {speed: 10}}")
    with pytest.raises(Refused, match="sandbox.speed"):
        load.settings()


def test_a_variable_overrides_a_key(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE__GITHUB__URL", "https://github.example.com/api/v3")
    assert load.settings().github.url == "https://github.example.com/api/v3"
    assert load.settings().github.token is not None


def test_github_lets_in_by_a_token_or_as_an_app(edit: Edit) -> None:
    app = "app: {id: 4711, installation: 815, private_key: {env: KEY}}"
    edit("tidegate", f"github: {{{app}}}")
    found = load.settings().github
    assert found.app is not None
    assert (found.token, found.app.id, found.app.installation) == (None, "4711", 815)
    edit("tidegate", f"github: {{token: {{env: TOKEN}}, {app}}}")
    with pytest.raises(Refused, match=r"give github.token or github.app, not both") as raised:
        load.settings()
    assert raised.value.field == "tidegate.yaml: github"
    edit("tidegate", "github: {app: {id: 4711, installation: 0, private_key: {env: KEY}}}")
    with pytest.raises(Refused, match=r"github.app.installation"):
        load.settings()


def test_a_process_does_not_follow_its_target_from_the_sandbox_to_the_real_thing(edit: Edit) -> None:
    overlay = load.home() / "overlay" / "tidegate.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("target: sandbox\n")
    assert load.settings().target == "sandbox"
    overlay.unlink()
    with pytest.raises(Refused, match="the target was sandbox when this process began and is real now"):
        load.environment("production")


def test_an_error_rate_as_json_may_be_asked_with_the_usual_requests(edit: Edit) -> None:
    edit("production", "verdict: {provider: json}")
    edit("tidegate", "monitoring: {url: 'https://monitoring.example.com', requests_per_second: 20}")
    assert load.environment("production").judged.provider == "json"
    assert load.settings().monitoring.requests_per_second == 20


def test_a_region_s_switch_is_its_own_or_the_environment_s(edit: Edit) -> None:
    assert {one.traffic for one in load.environment("production", speed=1).regions.values()} == {"gateway"}
    region = {"context": "c", "namespace": "n", "address": "http://web"}
    regions = {"one": region, "two": {**region, "traffic": "gateway"}}
    edit("production", yaml.safe_dump({"regions": regions, "waves": [], "traffic": "service"}))
    found = load.environment("production", speed=1).regions
    assert {name: one.traffic for name, one in found.items()} == {"one": "service", "two": "gateway"}
