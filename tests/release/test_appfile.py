from __future__ import annotations

import pickle
from typing import Any

import pytest

from release.appfile import COMMANDS, AppFile, Migration, Results, parse
from release.errors import Refused
from release.versions import Version

WHOLE: dict[str, Any] = {
    "name": "shop",
    "commands": {"unit": "npm run 'test unit'", "load": ["k6", "run", "load tests.js"]},
    "image": {"dockerfile": "docker/Dockerfile", "context": "app"},
    "migrations": [{"name": "prices in cents", "version": "1.8.0", "irreversible": True}],
}


def test_the_whole_file():
    app = parse(WHOLE)
    assert app.commands == {"unit": ("npm", "run", "test unit"), "load": ("k6", "run", "load tests.js")}
    assert (app.name, app.dockerfile, app.context) == ("shop", "docker/Dockerfile", "app")
    assert app.migrations == (Migration("prices in cents", Version(1, 8, 0), True),)


def test_defaults():
    assert parse({"commands": {}}) == AppFile(commands={})


def test_results_are_one_pattern_or_several():
    found = parse({"commands": {}, "results": {"junit": ["a.xml", "reports/**/b*.xml"], "coverage": "c.json"}}).results
    assert found == Results(("a.xml", "reports/**/b*.xml"), ("c.json",))
    assert parse({"commands": {}, "results": {"junit": "a.xml"}}).results == Results(("a.xml",))


@pytest.mark.parametrize(
    ("data", "key", "rule"),
    [
        (None, "", "must be a mapping"),
        (["unit"], "", "must be a mapping"),
        ({}, "commands", "must be a mapping"),
        ({"comands": {}}, "comands", "is not known here; known are: name, commands"),
        ({"commands": {"units": "x"}}, "commands.units", "is not known here; known are: install, lint"),
        ({"commands": {1: "x"}}, "commands", "must be a mapping"),
        ({"commands": {"unit": 5}}, "commands.unit", "string, or as a list of words"),
        ({"commands": {"unit": ["npm", 5]}}, "commands.unit", "string, or as a list of words"),
        ({"commands": {"unit": None}}, "commands.unit", "string, or as a list of words"),
        ({"commands": {"unit": " "}}, "commands.unit", "must name an executable"),
        ({"commands": {"unit": []}}, "commands.unit", "must name an executable"),
        ({"commands": {"unit": "say 'x"}}, "commands.unit", "quotation mark"),
        ({"commands": {"unit": "a && b"}}, "commands.unit", "run without a shell, so '&&'"),
        ({"commands": {"unit": "echo $(id)"}}, "commands.unit", "run without a shell"),
        ({"commands": {}, "image": {"tag": "x"}}, "image.tag", "is not known here"),
        ({"commands": {}, "image": {"context": "../other"}}, "image.context", "inside the application"),
        ({"commands": {}, "image": {"dockerfile": "/etc/x"}}, "image.dockerfile", "inside the application"),
        ({"commands": {}, "image": {"dockerfile": ""}}, "image.dockerfile", "inside the application"),
        ({"commands": {}, "results": "test-results.xml"}, "results", "must be a mapping"),
        ({"commands": {}, "results": {"xml": "a"}}, "results.xml", "is not known here; known are: junit, coverage"),
        ({"commands": {}, "results": {"junit": ["../a.xml"]}}, "results.junit", "inside the application"),
        ({"commands": {}, "results": {"junit": [5]}}, "results.junit", "must be a string"),
        ({"commands": {}, "results": {"coverage": "a**.xml"}}, "results.coverage", "only for whole folders"),
        ({"commands": {}, "name": 5}, "name", "must be a string"),
        ({"commands": {}, "migrations": {}}, "migrations", "must be a list"),
        ({"commands": {}, "migrations": ["x"]}, "migrations.0", "must be a mapping"),
        ({"commands": {}, "migrations": [{"name": "x", "version": "1.0.0"}]}, "migrations.0.irreversible", "be said"),
        (
            {"commands": {}, "migrations": [{"name": "x", "version": "v1", "irreversible": True}]},
            "migrations.0.version",
            "X.Y.Z",
        ),
    ],
)
def test_what_is_wrong_is_named(data: object, key: str, rule: str):
    with pytest.raises(Refused, match="Next: ") as caught:
        parse(data)
    assert caught.value.field == (f"tidegate.yaml: {key}" if key else "tidegate.yaml")
    assert rule in caught.value.what


@pytest.mark.parametrize(
    ("older", "newer", "crossed"),
    [
        (Version(1, 7, 0), Version(1, 8, 0), 1),
        (Version(1, 7, 0), Version(1, 9, 0), 1),
        (Version(1, 8, 0), Version(1, 9, 0), 0),
        (Version(1, 6, 0), Version(1, 7, 0), 0),
    ],
)
def test_irreversible_migrations_between_versions(older: Version, newer: Version, crossed: int):
    assert len(parse(WHOLE).irreversible_between(older, newer)) == crossed


def test_a_reversible_migration_is_no_obstacle():
    migration = {"name": "index", "version": "1.8.0", "irreversible": False}
    assert (
        parse({"commands": {}, "migrations": [migration]}).irreversible_between(Version(1, 0, 0), Version(2, 0, 0))
        == ()
    )


def test_it_survives_pickling():
    assert pickle.loads(pickle.dumps(parse(WHOLE))) == parse(WHOLE)


def test_the_names():
    assert len(COMMANDS) == len(set(COMMANDS)) == 15
