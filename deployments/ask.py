"""Where the Prefect server is, for programs that ask it for runs without importing Prefect."""

from __future__ import annotations

import os

from clients.prefect_api import PrefectApi
from config import load

# Prefect's own address where nothing names one.
LOCAL = "http://127.0.0.1:4200/api"


def address() -> str:
    """The API of the settings, else of Prefect's own variable, else of this machine."""
    return load.settings().prefect.api or os.environ.get("PREFECT_API_URL") or LOCAL


def prefect() -> PrefectApi:
    """A client for it; the login is Prefect's own variable."""
    return PrefectApi(address(), login=os.environ.get("PREFECT_API_AUTH_STRING"))
