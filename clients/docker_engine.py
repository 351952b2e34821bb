"""A connection to a Docker Engine, and how its silence is told."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException

from clients import tracing
from release.errors import Unavailable

_CONNECT_S = 10


class Engine(docker.APIClient):
    """The SDK's client; another thread may end what it reads with `interrupt`."""

    _answer: requests.Response | None = None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self._answer = super().send(request, **options)
        return self._answer

    def close(self) -> None:
        # The SDK leaves the connection of a stream that was not read to its end open.
        if self._answer is not None:
            self._answer.close()
        super().close()

    def interrupt(self) -> None:
        """The answer that is being read ends here; without one, nothing happens."""
        if self._answer is not None:
            with suppress(ValueError, RuntimeError, OSError):
                self._answer.raw.shutdown()


def words(error: APIError) -> str:
    """What the engine says about an error."""
    return str(error.explanation or error).strip()


@contextmanager
def connected(host: str, silence: int) -> Iterator[Engine]:
    """A client of the engine at `host`, which may be silent for `silence` seconds; Unavailable without one."""
    try:
        _knock(host)
        with tracing.call("docker", "version"):
            engine = Engine(base_url=host, version="auto", timeout=min(silence, _CONNECT_S))
    except (DockerException, requests.RequestException, OSError) as error:
        raise _no_engine(host, error) from error
    engine.timeout = silence
    try:
        yield engine
    except (requests.RequestException, urllib3.exceptions.HTTPError, json.JSONDecodeError) as error:
        raise _no_engine(host, error) from error
    except APIError as error:
        raise Unavailable(f"The Docker Engine at {host} answered: {words(error)}.") from error
    finally:
        engine.close()


def _knock(host: str) -> None:
    """Raises OSError where nobody listens; the SDK would find out too, but leak its socket."""
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(_CONNECT_S)
            door.connect(host.removeprefix("unix://"))


def _no_engine(host: str, error: Exception) -> Unavailable:
    return Unavailable(
        f"The Docker Engine at {host} does not answer ({type(error).__name__}).",
        next_step="start it, or set engine.host to one that runs",
    )
