"""What an upgrade would change, as lines for people: values key by key, manifests object by object. No secrets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

HIDDEN = "(hidden)"
_SECRETIVE = re.compile(r"password|passwd|secret|token|credential|api_?key|private_?key", re.I)
_CONTEXT = 1


def values(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """`image.digest: sha256:aaa -> sha256:bbb`, one line a key that differs; empty where nothing does."""
    before, after = dict(_flat(old)), dict(_flat(new))
    lines = []
    for key in sorted(before.keys() | after.keys()):
        one, other = before.get(key), after.get(key)
        if one != other:
            lines.append(f"{key}: {_shown(key, one)} -> {_shown(key, other)}")
    return tuple(lines)


def manifests(old: str, new: str) -> tuple[str, ...]:
    """A unified diff, objects in order of their kind and name; empty where nothing differs.

    Both are YAML as Helm renders it. Raises ValueError where one is not.
    """
    before, after = _objects(old), _objects(new)
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        pair = (before.get(name, []), after.get(name, []))
        found = list(difflib.unified_diff(*pair, fromfile=name, tofile=name, lineterm="", n=_CONTEXT))
        if found:
            said = "" if all(pair) else " (new)" if pair[1] else " (removed)"
            lines += [f"{name}{said}", *(line for line in found[2:] if not line.startswith("@@"))]
    return tuple(lines)


def _objects(text: str) -> dict[str, list[str]]:
    """`Kind/name` -> its lines, keys in order."""
    try:
        found = [one for one in yaml.safe_load_all(text) if isinstance(one, dict)]
    except yaml.YAMLError as error:
        raise ValueError("what Helm rendered is not YAML") from error
    return {_name(one): yaml.safe_dump(_without_secrets(one), width=10_000).splitlines() for one in found}


def _name(one: Mapping[str, Any]) -> str:
    return f"{one.get('kind', 'unknown')}/{(one.get('metadata') or {}).get('name', 'unknown')}"


def _without_secrets(one: dict[str, Any]) -> dict[str, Any]:
    if one.get("kind") == "Secret":
        for part in ("data", "stringData"):
            if isinstance(one.get(part), dict):
                one[part] = dict.fromkeys(one[part], HIDDEN)
    cleaned = _cleaned(one)
    assert isinstance(cleaned, dict)
    return cleaned


def _cleaned(value: Any) -> Any:
    """Environment variables and keys that are named like secrets, without their values."""
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if not isinstance(value, dict):
        return value
    secretive = isinstance(value.get("name"), str) and _SECRETIVE.search(value["name"])
    if secretive and isinstance(value.get("value"), str):
        return {**value, "value": HIDDEN}
    return {key: HIDDEN if _hides(str(key), one) else _cleaned(one) for key, one in value.items()}


def _hides(key: str, value: Any) -> bool:
    return isinstance(value, str) and bool(_SECRETIVE.search(key)) and not key.endswith("Name")


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _flat(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for number, one in enumerate(value):
            yield from _flat(one, f"{path}[{number}]")
    else:
        yield path, value


def _shown(key: str, value: Any) -> str:
    if value is None:
        return "(none)"
    # The chart takes the names of a Secret's keys, which are no secrets.
    if _SECRETIVE.search(key) and not key.startswith("secret."):
        return HIDDEN
    return str(value)
