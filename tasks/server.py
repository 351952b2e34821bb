"""Where the Prefect server is, and how it lets us in."""

from __future__ import annotations

import base64
import os

from config import load


def place() -> tuple[str, dict[str, str]]:
    """Its API's address, of the settings, else of Prefect's own variables or profile; and what lets us in."""
    api = load.settings().prefect.api or os.environ.get("PREFECT_API_URL") or _of_profile()
    return api, _headers()


def _of_profile() -> str:
    # Only here: Prefect takes two seconds to import.
    from prefect.settings import PREFECT_API_URL

    return str(PREFECT_API_URL.value() or "http://127.0.0.1:4200/api")


def _headers() -> dict[str, str]:
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if login := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    return {}
