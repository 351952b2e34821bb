from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from release import doctor
from release.doctor import Finding, Right


def finding(grade: doctor.Grade) -> Finding:
    return Finding("x", "y", grade, "z")


def test_silence_comes_before_what_is_wrong() -> None:
    assert doctor.exit_code([finding("ok"), finding("note")]) == 0
    assert doctor.exit_code([finding("ok"), finding("wrong")]) == 2
    assert doctor.exit_code([finding("wrong"), finding("silent")]) == 5


@pytest.mark.parametrize(
    ("version", "grade"),
    [("v1.37.2", "ok"), ("v1.30.0+k3s1", "ok"), ("v1.29.9", "wrong"), ("2.0", "ok"), ("weird", "note"), ("v1", "note")],
)
def test_old_clusters_are_told(version: str, grade: str) -> None:
    assert doctor.cluster_version("staging", version).grade == grade


@pytest.mark.parametrize(
    ("version", "grade"), [("v4.3.1", "ok"), ("v5.0.0", "ok"), ("v3.18.0", "wrong"), ("", "wrong")]
)
def test_helm_must_be_the_fourth(version: str, grade: str) -> None:
    assert doctor.helm_version(version).grade == grade


@pytest.mark.parametrize(("skew", "grade"), [(0.4, "ok"), (-5.0, "ok"), (5.5, "wrong"), (-60.0, "wrong")])
def test_clocks_that_differ_are_told(skew: float, grade: str) -> None:
    found = doctor.clock("staging", skew)
    assert found.grade == grade
    assert grade == "ok" or ("ahead" if skew > 0 else "behind") in found.detail


def test_every_right_of_the_role_is_asked_for_once() -> None:
    path = Path(__file__).parents[2] / "infrastructure" / "rbac" / "role.yaml"
    role = next(one for one in yaml.safe_load_all(path.read_text()) if one["kind"] == "Role")
    found = doctor.rights(role)
    assert len(set(found)) == len(found)
    assert Right("coordination.k8s.io", "leases", "update") in found
    assert Right("", "secrets", "list") in found
    assert str(Right("apps", "deployments", "patch")) == "patch deployments.apps"


def test_missing_rights_are_named() -> None:
    lacking = [Right("", f"kind{number}", "get") for number in range(8)]
    found = doctor.missing_rights("staging", lacking, 70)
    assert found.grade == "wrong"
    assert "get kind0" in found.detail and "and 2 more" in found.detail
    assert "role.yaml" in found.mend
    assert doctor.missing_rights("staging", [], 70).grade == "ok"


@pytest.mark.parametrize(
    ("who", "incidents", "grade"),
    [("<!subteam^S1>", True, "ok"), ("", True, "note"), ("", False, "ok")],
)
def test_who_is_on_call_is_asked_for_where_incidents_are_told(who: str, incidents: bool, grade: str) -> None:
    found = doctor.on_call(who, incidents=incidents)
    assert found.grade == grade
    assert ("slack.on_call" in found.mend) == (grade == "note")
