"""How an application behaves: from its image's labels for one region, then from what was changed while it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from sandbox.world import LABEL, Behaviour

_FIELDS = frozenset(field.name for field in dataclasses.fields(Behaviour))


def from_labels(labels: Mapping[str, str], region: str) -> Behaviour:
    """The behaviour that an image's OCI labels ask for in one region.

    Raises ValueError, naming the label, where a value cannot be read.
    """
    known = {name.removeprefix(LABEL): value.strip() for name, value in labels.items() if name.startswith(LABEL)}
    default = Behaviour()
    return Behaviour(
        crashes=_applies(known.get("crash", ""), region),
        crash_code=int(_number(known, "crash-code", default.crash_code, low=0, high=255)),
        never_ready=_applies(known.get("never-ready", ""), region),
        ready_after=_number(known, "ready-after", default.ready_after),
        error_rate=_share(known, region),
        latency=_number(known, "latency", default.latency),
        stops_at_sigterm=_flag(known, "stops-at-sigterm"),
    )


def overridden(
    behaviour: Behaviour, overrides: Mapping[tuple[str, str], Mapping[str, object]], region: str, version: str
) -> Behaviour:
    """`behaviour` with the overrides that match, the more precise ones last; unknown fields do nothing."""
    for key in (("*", "*"), ("*", version), (region, "*"), (region, version)):
        changes = {name: value for name, value in overrides.get(key, {}).items() if name in _FIELDS}
        if changes:
            behaviour = dataclasses.replace(behaviour, **changes)  # type: ignore[arg-type]
    return behaviour


def _applies(value: str, region: str) -> bool:
    names = {name.strip() for name in value.split(",")}
    return "everywhere" in names or region in names


def _flag(known: Mapping[str, str], name: str) -> bool:
    value = known.get(name, "false").lower()
    if value not in ("true", "false"):
        raise ValueError(f"image label {LABEL}{name}: {value!r} is neither true nor false")
    return value == "true"


def _number(
    known: Mapping[str, str], name: str, default: float, *, low: float = 0, high: float = float("inf")
) -> float:
    return _parse(name, known[name], low, high) if name in known else default


def _parse(name: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"image label {LABEL}{name}: {text!r} is not a number") from None
    if not low <= value <= high:
        raise ValueError(f"image label {LABEL}{name}: {text} is outside {low:g} to {high:g}")
    return value


def _share(known: Mapping[str, str], region: str) -> float:
    """`0.2` for every region, or `us-east-1=0.2,eu-west-1=0.5` for the named ones."""
    text = known.get("error-rate", "")
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, share = part.rpartition("=")
        if not equals or name.strip() in (region, "everywhere"):
            return _parse("error-rate", share.strip(), 0, 1)
    return 0.0
