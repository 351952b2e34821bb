"""Prefect's own client, without what it does anew each time."""

from __future__ import annotations

from prefect.client.orchestration import PrefectClient, get_client
from prefect.settings import PREFECT_API_SSL_CERT_FILE, PREFECT_API_TLS_INSECURE_SKIP_VERIFY

from clients.trust import authorities


def client() -> PrefectClient:
    """A client of the current server, to be used with `async with`. Reading the authorities would take it longer than
    what it asks, and what waits asks twice a second."""
    if PREFECT_API_SSL_CERT_FILE.value() or PREFECT_API_TLS_INSECURE_SKIP_VERIFY.value():
        return get_client()
    return get_client(httpx_settings={"verify": authorities()})
