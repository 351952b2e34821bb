"""`python -m deployments.cli` is `tidegate`."""

from __future__ import annotations

from deployments.cli.main import run

run()
