"""Names of runs that a template cannot make: what was left out is said in words."""

from __future__ import annotations

from prefect.runtime import flow_run


def rollback() -> str:
    """`to v1.4.0 by ada`, or `to the last good version by ada`."""
    asked = flow_run.parameters or {}
    return f"to {asked.get('to') or 'the last good version'} by {asked.get('actor', 'unknown')}"


def development() -> str:
    """`feature/wishlist by ada`, or `pull request 12 by ada`."""
    asked = flow_run.parameters or {}
    pull = asked.get("pull")
    return f"{f'pull request {pull}' if pull else asked.get('ref')} by {asked.get('actor', 'unknown')}"
