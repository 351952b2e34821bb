"""A container's environment: what its spec refers to, what is missing in it, and which URLs it names."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]
Key = tuple[str, str]
"""(`Secret` or `ConfigMap`, its name)."""

_KINDS = {"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap", "secretRef": "Secret", "configMapRef": "ConfigMap"}
_VARIABLE = re.compile(r"\$(?:\((\w+)\)|\{(\w+)\}|(\w+))")
_URL = re.compile(r"https?://[^\s\"'`;|&<>\\)]+")


class ConfigError(Exception):
    """The container cannot be created: kubelet's message for CreateContainerConfigError."""


def needed(container: Json) -> frozenset[Key]:
    """The Secrets and ConfigMaps that the container's environment refers to."""
    return frozenset((kind, ref["name"]) for kind, ref, _ in _references(container))


def resolve(
    container: Json, image_env: Mapping[str, str], objects: Mapping[Key, Json | None], pod: Json
) -> dict[str, str]:
    """The environment that the container starts with; `objects` holds what `needed` named, None where it is absent.

    Raises ConfigError where a Secret, a ConfigMap or a key in one is missing and not optional.
    """
    namespace = pod["metadata"]["namespace"]
    values = dict(image_env)
    for source in container.get("envFrom") or ():
        for kind, ref in _pairs(source):
            for key, value in (_data(kind, ref, objects) or {}).items():
                values[source.get("prefix", "") + key] = value
    for entry in container.get("env") or ():
        found = _value(entry, values, objects, pod, namespace)
        if found is not None:
            values[entry["name"]] = found
    return values


def urls(container: Json, values: Mapping[str, str], image_command: Iterable[str]) -> list[str]:
    """The URLs that a container asks for: those in its command line, else those in its own variables."""
    command = [*(container.get("command") or ()), *(container.get("args") or ())] or list(image_command)
    found = [url for word in command for url in _URL.findall(_expand(word, values))]
    if found:
        return found
    own = (values.get(entry["name"], "") for entry in container.get("env") or ())
    return [url for value in own for url in _URL.findall(value)]


def _references(container: Json) -> Iterable[tuple[str, Json, str | None]]:
    for source in container.get("envFrom") or ():
        for kind, ref in _pairs(source):
            yield kind, ref, None
    for entry in container.get("env") or ():
        for kind, ref in _pairs(entry.get("valueFrom") or {}):
            yield kind, ref, ref["key"]


def _pairs(source: Json) -> Iterable[tuple[str, Json]]:
    return ((_KINDS[name], ref) for name, ref in source.items() if name in _KINDS)


def _data(kind: str, ref: Json, objects: Mapping[Key, Json | None]) -> dict[str, str] | None:
    found = objects.get((kind, ref["name"]))
    if found is None:
        if ref.get("optional"):
            return None
        raise ConfigError(f'{kind.lower()} "{ref["name"]}" not found')
    data = found.get("data") or {}
    if kind == "ConfigMap":
        return dict(data)
    return {key: base64.b64decode(value).decode("utf-8", "replace") for key, value in data.items()}


def _value(
    entry: Json, values: Mapping[str, str], objects: Mapping[Key, Json | None], pod: Json, namespace: str
) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return _expand(entry.get("value", ""), values)
    for kind, ref in _pairs(source):
        data = _data(kind, ref, objects)
        if data is not None and ref["key"] in data:
            return data[ref["key"]]
        if ref.get("optional"):
            return None
        raise ConfigError(f"couldn't find key {ref['key']} in {kind} {namespace}/{ref['name']}")
    return _field(source.get("fieldRef") or {}, pod)


def _field(ref: Json, pod: Json) -> str:
    place: Any = pod
    for part in ref.get("fieldPath", "").split("."):
        place = place.get(part, "") if isinstance(place, Mapping) else ""
    return str(place)


def _expand(text: str, values: Mapping[str, str]) -> str:
    """Kubernetes' `$(NAME)` and a shell's `$NAME` and `${NAME}`; unknown names stay as they are."""
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2] or found[3], found[0]), text)
