from __future__ import annotations

import pytest

from release import diff

OLD = """
kind: Deployment
metadata: {name: shop-blue}
spec:
  replicas: 10
  containers:
    - image: shop@sha256:aaa
      env:
        - {name: API_URL, value: https://api.example.com}
        - {name: API_TOKEN, value: hunter2}
---
kind: Secret
metadata: {name: keys}
data: {A: c2VjcmV0}
---
kind: Service
metadata: {name: gone}
"""
NEW = """
kind: Secret
metadata: {name: keys}
data: {A: b3RoZXI=, B: bmV3}
stringData: {C: plain}
---
kind: Deployment
metadata: {name: shop-blue}
spec:
  containers:
    - env:
        - {name: API_URL, value: https://api.example.com}
        - {name: API_TOKEN, value: hunter3}
      image: shop@sha256:bbb
  replicas: 10
"""


def test_objects_are_compared_by_what_they_say_and_not_by_their_order() -> None:
    lines = diff.manifests(OLD, NEW)
    assert [line for line in lines if not line.startswith((" ", "-", "+"))] == [
        "Deployment/shop-blue",
        "Secret/keys",
        "Service/gone (removed)",
    ]
    assert "-    image: shop@sha256:aaa" in lines and "+    image: shop@sha256:bbb" in lines
    assert not any("replicas" in line for line in lines if line[0] in "+-")
    assert diff.manifests(OLD, OLD) == ()


def test_no_secret_is_ever_shown() -> None:
    text = "\n".join((*diff.manifests(OLD, NEW), *diff.manifests("", NEW)))
    for secret in ("hunter2", "hunter3", "c2VjcmV0", "b3RoZXI=", "bmV3", "plain"):
        assert secret not in text
    assert "B: (hidden)" in text
    old = {"db": {"password": "one"}, "tokens": ["a"], "secret": {"keys": ["DB_PASSWORD"]}}
    new = {"db": {"password": "two"}, "tokens": ["b"], "secret": {"keys": ["DB_PASSWORD", "API_KEY"]}}
    assert diff.values(old, new) == (
        "db.password: (hidden) -> (hidden)",
        "secret.keys[1]: (none) -> API_KEY",
        "tokens[0]: (hidden) -> (hidden)",
    )


def test_values_are_told_key_by_key() -> None:
    old = {"replicas": 3, "env": {"A": "1", "B": ""}, "off": {}}
    assert diff.values(old, {"replicas": 5, "env": {"A": "1"}, "off": {}}) == (
        "env.B:  -> (none)",
        "replicas: 3 -> 5",
    )
    assert diff.values(old, old) == ()


def test_what_is_no_yaml_is_told() -> None:
    with pytest.raises(ValueError, match="not YAML"):
        diff.manifests("a: [", "")
