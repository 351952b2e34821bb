"""The cluster-admin's way to the sandbox's API server: for the simulated node and gateway, never for Tidegate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kubernetes.aio import client


@dataclass(frozen=True, slots=True)
class Admin:
    """`server` is https://127.0.0.1:PORT, `ca_file` its certificate, `token` one of the group system:masters."""

    server: str
    ca_file: Path
    token: str

    def client(self) -> client.ApiClient:
        """A new API client; the caller closes it (`async with`)."""
        configuration = client.Configuration()
        configuration.host = self.server
        configuration.ssl_ca_cert = str(self.ca_file)
        configuration.api_key = {"BearerToken": f"Bearer {self.token}"}
        return client.ApiClient(configuration)
