"""What one machine runs, as programs: the Prefect server over PostgreSQL, a worker, the registering, the service."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config import load
from deployments.machine.programs import Program
from release.errors import Refused

POOL = "tidegate"
# Runs at once on this machine; a run that waits for approval is none of them.
RUNS_AT_ONCE = 8
# A run that is ended has so long to say so.
_WORKER_GRACE_S = 15.0


def worker_name() -> str:
    """This machine's worker."""
    return f"tidegate-{socket.gethostname()}"


@dataclass(frozen=True, slots=True)
class Machine:
    """The programs of a machine whose data is in `folder` and whose Prefect server is at `api`."""

    folder: Path
    api: str

    def server(self) -> Program:
        """Raises Refused where `api` is not of this machine."""
        address = urlsplit(self.api)
        if address.scheme != "http" or address.hostname not in ("127.0.0.1", "localhost") or address.path != "/api":
            raise Refused(
                f"a Prefect server of one's own listens on this machine, and {self.api} is elsewhere.",
                field="tidegate.yaml: prefect.api",
                next_step="Write http://127.0.0.1:4200/api, or use `tidegate serve --worker` with the server there.",
            )
        where = ("--folder", str(self.folder / "prefect"), "--port", str(address.port or 80))
        cache = ("--cache", str(load.cache()))
        return self._program(
            "prefect-server", ("deployments.server", *where, "--logs", str(self.folder / "logs"), *cache), 40.0
        )

    def worker(self) -> Program:
        options = ("--pool", POOL, "--type", "process", "--name", worker_name(), "--limit", str(RUNS_AT_ONCE))
        return self._program("worker", ("prefect", "worker", "start", *options), _WORKER_GRACE_S)

    def register(self) -> Program:
        """Registers what `prefect.yaml` holds, once."""
        return self._program("deploy", ("prefect", "--no-prompt", "deploy", "--all"), 5.0)

    def service(self) -> Program:
        return self._program("service", ("deployments.cli", "serve"), 10.0)

    def _program(self, name: str, module: tuple[str, ...], grace: float) -> Program:
        """A Python module with its arguments, as a program."""
        log = self.folder / "logs" / f"{name}.log"
        return Program(name, (sys.executable, "-m", *module), self._environment(), load.CHECKOUT, log, grace)

    def _environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "PREFECT_API_URL": self.api,
            "PREFECT_HOME": str(self.folder / "home"),
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_WORKER_HEARTBEAT_SECONDS": "5",
            "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.5",
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }
