"""The settings that point Tidegate at the sandbox, written where `config.load` reads them, and taken away again.

What it changes, beyond addresses, executables and secret references, is listed in docs/sandbox.md; strategies,
time-outs, thresholds and gates stay the checkout's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TIMER_SPEED = 90.0
CHANNELS = ("deployments", "releases", "incidents")
# The simulated gateway's lag is 0.25 s; real ones get the checkout's second.
GATEWAY_SETTLES_S = 0.4


@dataclass(frozen=True, slots=True)
class RegionAddress:
    """A region as Tidegate must call it. `address` is what users call, `previews` the slots' own addresses."""

    environment: str
    name: str
    context: str
    namespace: str
    address: str
    previews: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything listens. A secret's key is the name of its file; its value goes into that file only."""

    kubeconfig: Path
    helm: str
    registry: str
    username: str
    git: str
    github: str
    repository: str
    slack: str
    backup: str
    monitoring: str
    monitoring_webhook: str
    builder: str
    engine: str | None
    prefect: str | None
    database: Path | None
    speed: float
    regions: tuple[RegionAddress, ...]
    prometheus: str | None = None
    service: int = 8765


def folder(home: Path) -> Path:
    """Where the overlay lies."""
    return home / "overlay"


def write(home: Path, at: Addresses, secrets: Mapping[str, str], application: Mapping[str, str]) -> None:
    """Write the overlay and the secrets' files. `secrets`: registry, github, github-webhook, slack-<channel>,
    slack-signing, backup, totp-<person>.

    `application` maps the names of the application's secrets (DB_PASSWORD) to their values. Each file appears
    whole; the last one is tidegate.yaml, which makes the sandbox the target.
    """
    files = write_secrets(home, {**secrets, **{f"application-{key}": value for key, value in application.items()}})
    folder(home).mkdir(parents=True, exist_ok=True)
    own = {key: {"file": str(files[f"application-{key}"])} for key in application}
    for name in dict.fromkeys(region.environment for region in at.regions):
        _write_yaml(folder(home) / f"{name}.yaml", environment(name, at.regions, own, at.prometheus))
    _write_yaml(folder(home) / "tidegate.yaml", settings(at, files))


def remove(home: Path) -> None:
    """Take the overlay and the secrets away: Tidegate's target is then what the checkout says."""
    shutil.rmtree(folder(home), ignore_errors=True)
    shutil.rmtree(home / "sandbox" / "secrets", ignore_errors=True)


def write_secrets(home: Path, secrets: Mapping[str, str]) -> dict[str, Path]:
    """One file a secret, readable by its owner only."""
    place = home / "sandbox" / "secrets"
    place.mkdir(parents=True, exist_ok=True)
    place.chmod(0o700)
    files = {name: place / name for name in secrets}
    for name, path in files.items():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secrets[name])
    return files


def settings(at: Addresses, files: Mapping[str, Path]) -> dict[str, Any]:
    """The overlay of config/tidegate.yaml."""
    image = at.registry.split("://", 1)[1]
    # Who votes needs the whole of the votes' machinery, which a command line that asks for help does not.
    from sandbox import people

    return {
        "target": "sandbox",
        "application": {
            "git": at.git,
            "github": at.repository,
            "image": f"{image}/shop",
            "build_args": {"BASE": "scratch"},
        },
        "kubeconfig": str(at.kubeconfig),
        "helm": at.helm,
        "registry": {"url": at.registry, "username": at.username, "password": _file(files["registry"])},
        "engine": {"builder": at.builder, "host": at.engine},
        "github": {"url": at.github, "token": _file(files["github"]), "app": None},
        "slack": {
            "url": f"{at.slack}/api",
            "webhooks": {channel: _file(files[f"slack-{channel}"]) for channel in CHANNELS},
            "signing_secret": _file(files["slack-signing"]),
        },
        "backup": {"url": at.backup, "token": _file(files["backup"])},
        "monitoring": {
            "url": at.monitoring,
            "metrics": at.prometheus or f"{at.monitoring}/metrics/{{region}}",
            "webhook": at.monitoring_webhook,
        },
        "prefect": {"api": at.prefect},
        "database": {"url": _file(at.database)} if at.database else None,
        "service": {
            "host": "127.0.0.1",
            "port": at.service,
            "github_secret": _file(files["github-webhook"]),
        },
        "people": people.settings(files),
        "login": {"open_to_read": True},
        # A wait of half an hour is a second at speed 20: nobody would see a release otherwise.
        "sandbox": {"speed": at.speed, "timer_speed": TIMER_SPEED},
    }


def environment(
    name: str, regions: Iterable[RegionAddress], secrets: Mapping[str, Mapping[str, str]], prometheus: str | None
) -> dict[str, Any]:
    """The overlay of config/<name>.yaml: its regions, waves where they are not the usual three, who is asked for
    metrics."""
    own = [region for region in regions if region.environment == name]
    return {
        "regions": {region.name: _region(region) for region in own},
        "waves": _waves([region.name for region in own]),
        "rolling": {"settle_s": GATEWAY_SETTLES_S},
        "secrets": {key: dict(reference) for key, reference in secrets.items()},
        "verdict": {"provider": "prometheus" if prometheus else "gateway"},
    }


def _region(region: RegionAddress) -> dict[str, Any]:
    return {
        "context": region.context,
        "namespace": region.namespace,
        "address": region.address,
        "previews": dict(region.previews),
        "gateway": f"{region.namespace}/tidegate",
        "metric_labels": {"region": region.name},
        "sections": {"web": "web", "blue": "preview-blue", "green": "preview-green"},
    }


def _waves(names: Sequence[str]) -> list[list[str]]:
    first, rest = names[:1], names[1:]
    return [list(wave) for wave in (first, rest) if wave]


def _file(path: Path) -> dict[str, str | None]:
    # The checkout's reference is laid under this one: its variable must not stay beside the file.
    return {"env": None, "file": str(path), "prefect": None}


def _write_yaml(path: Path, data: Mapping[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(
        "# Written by `tidegate sandbox up`; taken away by `tidegate sandbox down`.\n"
        + yaml.safe_dump(dict(data), sort_keys=False)
    )
    new.replace(path)
