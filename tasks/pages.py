"""Where a person reads on: the pages of a run's commit, release and regions."""

from __future__ import annotations

from config import load
from release.errors import TidegateError
from release.outcome import Outcome

_ENVIRONMENTS = {"development": "development", "staging": "staging"}
_API = "https://api.github.com"


def of(outcome: Outcome) -> dict[str, str]:
    """What a page shows -> its address; empty where the run got nowhere, as with a broken configuration."""
    try:
        return _found(outcome)
    except TidegateError:
        return {}


def _found(outcome: Outcome) -> dict[str, str]:
    found: dict[str, str] = {}
    if (github := _github()) and outcome.commit:
        found[f"commit {outcome.commit[:12]}"] = f"{github}/commit/{outcome.commit}"
        if outcome.pipeline in ("production", "hotfix"):
            found[f"release v{outcome.version}"] = f"{github}/releases/tag/v{outcome.version}"
    regions = load.environment(_ENVIRONMENTS.get(outcome.pipeline, "production")).regions
    for one in outcome.regions:
        if one.region in regions:
            found[f"{one.region} as users see it"] = regions[one.region].address
    return found


def _github() -> str:
    """The repository's page; empty for a GitHub that has no pages beside its API."""
    settings = load.settings()
    url = settings.github.url.rstrip("/")
    host = "https://github.com" if url == _API else url.removesuffix("/api/v3") if url.endswith("/api/v3") else ""
    return f"{host}/{settings.application.github}" if host else ""
