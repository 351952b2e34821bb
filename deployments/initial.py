"""The files that an application of one's own begins with: its configuration, and its tidegate.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from config import load
from release.errors import Refused

LANGUAGES = ("node", "python")
_HEAD = "# Written by `tidegate init`. Every key is in docs/configuration.md; secrets are references only.\n"
# Approvals and timer (seconds) of each environment, as docs/gates.md names them.
_GATES = {"development": (0, 0), "staging": (1, 300), "production": (2, 1800)}
# Nobody can know these beforehand, and a release that must be approved is refused without them.
_TO_FILL = """
# Approvals need a database of Tidegate's own (PostgreSQL), and people who may give them; whoever asks for a release
# cannot approve it. docs/gates.md says how. Fill in, and take the # away:
# database:
#   url: {env: TIDEGATE_DATABASE}
# people:
#   ada: {roles: [operate, approve], github: ada-l, totp: {env: ADA_TOTP}}
#   bob: {roles: [approve], github: bob-m, totp: {env: BOB_TOTP}}
#   cleo: {roles: [approve], github: cleo-n, totp: {env: CLEO_TOTP}}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A region: its kubeconfig context, namespace, and the address that users call."""

    name: str
    context: str
    namespace: str
    address: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What must be known. `environments` maps development, staging and production to their regions; `language` is
    one of LANGUAGES, empty where the application has its tidegate.yaml."""

    name: str
    git: str
    github: str
    image: str
    environments: Mapping[str, tuple[Place, ...]]
    branch: str = "main"
    username: str = ""
    kubeconfig: str = "~/.kube/config"
    language: str = ""


def place(text: str, environment: str, option: str) -> Place:
    """`NAME,CONTEXT,ADDRESS[,NAMESPACE]`. Raises Refused naming the option for anything else."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) not in (3, 4) or not all(parts) or "://" not in parts[2]:
        raise Refused(
            f"{text!r} is not NAME,CONTEXT,ADDRESS or NAME,CONTEXT,ADDRESS,NAMESPACE.",
            field=option,
            next_step=f"Give it as --{option} us-east-1,production-us-east-1,https://us-east-1.example.com.",
        )
    return Place(parts[0], parts[1], parts[3] if len(parts) == 4 else environment, parts[2])


def files(answers: Answers) -> dict[str, str]:
    """The configuration folder's files: name -> text."""
    found = {"tidegate.yaml": _text(_settings(answers)) + _TO_FILL}
    for name, places in answers.environments.items():
        found[f"{name}.yaml"] = _text(_environment(name, places, answers.branch))
    return found


def to_fill(answers: Answers) -> tuple[str, ...]:
    """What a person must still provide before production can be released, a line each."""
    names = [*(["REGISTRY_PASSWORD"] if answers.username else []), "GITHUB_TOKEN", "SLACK_BOT_TOKEN"]
    most = max(approvals for approvals, _ in _GATES.values())
    return (
        "tidegate.yaml: database: where votes are kept (`tidegate serve --all` brings its own)",
        f"tidegate.yaml: people: {most} who may approve, besides whoever asks",
        f"the variables {', '.join(names)}, where Tidegate runs",
        "production.yaml: backup: true, with backup.url in tidegate.yaml, if a backup is to come first",
    )


def application(answers: Answers) -> str | None:
    """The application's own tidegate.yaml to begin with; None where it has one."""
    if not answers.language:
        return None
    example = load.CHECKOUT / "docs" / "examples" / f"{answers.language}-shop.tidegate.yaml"
    kept = []
    for line in example.read_text().splitlines():
        if line.startswith("# Going back never crosses"):
            break
        kept.append(f"name: {answers.name}" if line.startswith("name: ") else line)
    migrations = "# Name each with the first version that has it; an irreversible one is never gone back over."
    return "\n".join([*kept, migrations, "migrations: []", ""])


def write(texts: Mapping[Path, str], *, force: bool) -> list[Path]:
    """Write the files; Refused, before any is written, where one is there already and `force` is False."""
    there = [str(path) for path in texts if path.exists()]
    if there and not force:
        step = "Choose another folder with --into, or write over them with --force."
        raise Refused(f"already there: {', '.join(there)}.", field="into", next_step=step)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(texts)


def _settings(answers: Answers) -> dict[str, Any]:
    registry = answers.image.partition("/")[0]
    login = {"username": answers.username, "password": {"env": "REGISTRY_PASSWORD"}} if answers.username else {}
    return {
        "application": {
            "name": answers.name,
            "git": answers.git,
            "github": answers.github,
            "image": answers.image,
            "branch": answers.branch,
        },
        "kubeconfig": answers.kubeconfig,
        "registry": {"url": f"https://{registry}", **login},
        "github": {"token": {"env": "GITHUB_TOKEN"}},
        "slack": {"token": {"env": "SLACK_BOT_TOKEN"}},
    }


def _environment(name: str, places: Sequence[Place], branch: str) -> dict[str, Any]:
    """As careful as the environment needs; what is switched off here is said in docs/configuration.md."""
    regions = {one.name: {"context": one.context, "namespace": one.namespace, "address": one.address} for one in places}
    careful: dict[str, dict[str, Any]] = {
        "development": {"replicas": 1},
        "staging": {"replicas": 2, "gates": _gates(name, branch), "rehearsal": {"enabled": True}},
        "production": {"replicas": 3, "gates": _gates(name, branch), "backup": False},
    }
    return {"regions": regions, **careful[name]}


def _gates(name: str, branch: str) -> dict[str, Any]:
    approvals, wait = _GATES[name]
    return {"approvals": approvals, "wait_s": wait, "protected_branch": branch}


def _text(data: Mapping[str, Any]) -> str:
    return _HEAD + yaml.safe_dump(dict(data), sort_keys=False, width=120)
