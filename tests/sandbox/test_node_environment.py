"""A container's environment, what is missing in it, and the URLs it names."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sandbox.node.ending import pause_of
from sandbox.node.environment import ConfigError, needed, resolve, urls

POD = {"metadata": {"namespace": "staging", "name": "shop-1"}}


def secret_key(name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"name": key, "valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def secret(**values: str) -> dict[str, Any]:
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


def test_values_come_from_image_objects_and_spec() -> None:
    container = {
        "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "S_"}],
        "env": [
            {"name": "ENVIRONMENT", "value": "staging"},
            secret_key("shop", "DB_PASSWORD"),
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "URL", "value": "http://$(S_HOST)/"},
        ],
    }
    objects = {("ConfigMap", "settings"): {"data": {"HOST": "db"}}, ("Secret", "shop"): secret(DB_PASSWORD="pw")}
    assert needed(container) == frozenset(objects)
    assert resolve(container, {"PATH": "/bin"}, objects, POD) == {
        "PATH": "/bin",
        "S_HOST": "db",
        "ENVIRONMENT": "staging",
        "DB_PASSWORD": "pw",
        "NAME": "shop-1",
        "URL": "http://db/",
    }


@pytest.mark.parametrize(
    ("container", "found", "says"),
    [
        ({"env": [secret_key("shop", "A")]}, None, 'secret "shop" not found'),
        ({"env": [secret_key("shop", "A")]}, secret(B="1"), "couldn't find key A in Secret staging/shop"),
        ({"envFrom": [{"secretRef": {"name": "shop"}}]}, None, 'secret "shop" not found'),
    ],
)
def test_what_is_missing_is_said_as_a_kubelet_says_it(
    container: dict[str, Any], found: dict[str, Any] | None, says: str
) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(container, {}, {("Secret", "shop"): found}, POD)
    assert str(error.value) == says


@pytest.mark.parametrize("found", [None, secret(B="1")])
def test_what_is_optional_may_be_missing(found: dict[str, Any] | None) -> None:
    container = {"env": [secret_key("shop", "A", optional=True)]}
    assert resolve(container, {}, {("Secret", "shop"): found}, POD) == {}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"command": ["wget", "-q"], "args": ["http://shop-blue/health"]}, ["http://shop-blue/health"]),
        ({"command": ["sh", "-c", "wget 'http://shop/'; wget \"$URL\""]}, ["http://shop/", "http://env/x"]),
        ({"env": [{"name": "URL", "value": "resolved already"}]}, ["http://env/x"]),
        ({"args": ["run"]}, []),
        ({}, []),
    ],
)
def test_urls_of_a_container(container: dict[str, Any], expected: list[str]) -> None:
    assert urls(container, {"URL": "http://env/x"}, ["/shop"]) == expected


def test_an_image_may_name_the_url_in_its_own_command() -> None:
    assert urls({}, {}, ["wget", "http://image/"]) == ["http://image/"]


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ({"sleep": {"seconds": 5}}, 5.0),
        ({"exec": {"command": ["sh", "-c", "sleep 7; true"]}}, 7.0),
        ({"exec": {"command": ["sleep", "2"]}}, 2.0),
        ({"httpGet": {"path": "/bye", "port": 80}}, 0.0),
    ],
)
def test_a_pre_stop_pause(hook: dict[str, Any], expected: float) -> None:
    assert pause_of({"lifecycle": {"preStop": hook}}) == expected
