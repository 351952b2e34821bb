"""Where the Prefect server is, and how it lets us in."""

from __future__ import annotations

from clients.prefect_api import PrefectApi
from clients.prefect_runs import Runs
from tasks.server import place

__all__ = ["orders", "place", "runs"]


def runs() -> Runs:
    """Its runs."""
    api, headers = place()
    return Runs(api, headers=headers)


def orders() -> PrefectApi:
    """Its deployments, to be run."""
    api, headers = place()
    return PrefectApi(api, headers=headers)
