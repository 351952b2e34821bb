"""A demo's sandbox that is left up: with the service, a worker and a Prometheus, and what can be done with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from config import load
from sandbox import state
from sandbox.people import VISITORS

_NAMED = ("serve", "prometheus", "prefect")
RULES = load.CHECKOUT / "infrastructure" / "monitoring" / "alerts.yml"


def options() -> tuple[str, ...]:
    """What `sandbox up` gets for it. Versions are then judged through the Prometheus; none where none can be had."""
    if shutil.which("prometheus") or shutil.which("apt-get"):
        return ("--serve", "--prometheus", "--rules", str(RULES))
    return ("--serve",)


def told(found: state.State, home: Path) -> Iterator[str]:
    """Lines for a person: addresses, how to log in, and the commands that start a run."""
    parts = {part.name: part.address for part in found.parts}
    service, person, secrets = parts["serve"], VISITORS[0], home / "sandbox" / "secrets"
    yield f"  the board       {service}/"
    yield f"                  log in as {person}, password {person}, code: tidegate sandbox code {person}"
    yield f"  metrics         {service}/metrics"
    if "prometheus" in parts:
        yield f"  Prometheus      {parts['prometheus']}/alerts"
    yield f"  Prefect         {parts['prefect']}"
    yield f"  webhooks        {service}/webhooks/github"
    yield f"  the sandbox     {found.control}"
    yield f"  kubeconfig      {found.kubeconfig}"
    for name, address in parts.items():
        if address and name not in (*_NAMED, "page"):
            yield f"  {name:<15} {address}"
    clone = parts["git"].replace("://", f"://tidegate:$(cat {secrets / 'git'})@")
    yield "\nA push to main starts staging:"
    yield f'  git clone "{clone}" shop && cd shop'
    yield '  git commit --allow-empty -m "feat: something" && git push origin main'
    yield "A published release starts production, once staging has verified its commit:"
    yield f'  curl -H "Authorization: Bearer $(cat {secrets / "github-developer"})" \\'
    body = '{"tag_name": "v1.9.0", "body": "Notes.\\n\\nstrategy: canary"}'
    yield f"    {parts['github']}/repos/{load.settings().application.github}/releases -d '{body}'"
    yield "\nAll of it is left up; `tidegate sandbox down` ends it."
