"""One build on the engine, in a thread of its own: the docker SDK blocks."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException

from clients import context
from clients.builds import Build, check
from clients.docker_events import build_error, error_of, lines_of, push_error
from clients.registry import Registry
from release.errors import TidegateError, Unavailable

_CONNECT_S = 10


class Job:
    """Log in, build, tag and push. Set `stopped` to end it at the engine's next word."""

    def __init__(
        self,
        build: Build,
        host: str,
        registry: Registry,
        cache_from: tuple[str, ...],
        silence: int,
        say: Callable[[str], None],
    ) -> None:
        self._build = build
        self._host = host
        self._registry = registry
        self._cache_from = cache_from
        self._silence = silence
        self._say = say
        self._log: list[str] = []
        self.stopped = False

    def run(self) -> dict[str, str]:
        """The digest that each tag was pushed with; errors as of Builder."""
        build = self._build
        check(build, self._registry.image)
        context.dockerfile_in(build.context, build.dockerfile)
        with connected(self._host, self._silence) as engine:
            self._login(engine)
            image = self._built(engine)
            for tag in build.tags:
                engine.tag(image, build.repository, tag)
            return {tag: self._pushed(engine, tag) for tag in build.tags}

    def _login(self, engine: docker.APIClient) -> None:
        """Before the build, so that a wrong password costs a moment; kept in memory, for base images too."""
        if self._registry.username is None:
            return
        try:
            engine.login(self._registry.username, self._registry.password, registry=self._registry.host, reauth=True)
        except APIError as error:
            raise push_error(_words(error), self._registry.image) from error

    def _built(self, engine: docker.APIClient) -> str:
        build = self._build
        archive = io.BytesIO(context.pack(build.context, build.dockerfile))
        try:
            events = engine.build(
                fileobj=archive,
                custom_context=True,
                dockerfile=build.dockerfile,
                buildargs=dict(build.build_args),
                labels=dict(build.labels),
                cache_from=self._fetched(engine) or None,
                rm=True,
                forcerm=True,
                decode=True,
                timeout=self._silence,
            )
            aux = self._follow(events, lambda error: build_error(error, self._log))
        except APIError as error:
            raise build_error(_words(error), self._log) from error
        image = next((str(found["ID"]) for found in aux if "ID" in found), None)
        if image is None:
            raise Unavailable("The engine ended the build without an image.", next_step="read the engine's log")
        return image

    def _fetched(self, engine: docker.APIClient) -> list[str]:
        """The images to take layers from; one that cannot be fetched only makes the build slower."""
        images = [f"{self._build.repository}:{tag}" for tag in self._cache_from]
        for image in images:
            with suppress(APIError, TidegateError):
                self._follow(engine.pull(image, stream=True, decode=True), Unavailable)
        return images

    def _pushed(self, engine: docker.APIClient, tag: str) -> str:
        build = self._build
        image = f"{build.repository}:{tag}"
        try:
            events = engine.push(build.repository, tag=tag, stream=True, decode=True, auth_config=self._auth())
            aux = self._follow(events, lambda error: push_error(error, image))
        except APIError as error:
            raise push_error(_words(error), image) from error
        digest = next((str(found["Digest"]) for found in aux if "Digest" in found), None)
        if digest is None:
            raise push_error("it ended the push without a digest", image)
        return digest

    def _auth(self) -> dict[str, str] | None:
        """None leaves it to the Docker configuration of the machine."""
        if self._registry.username is None or self._registry.password is None:
            return None
        return {"username": self._registry.username, "password": self._registry.password}

    def _follow(
        self, events: Iterable[Mapping[str, Any]], failure: Callable[[str], TidegateError]
    ) -> list[Mapping[str, Any]]:
        """Tell the lines as they come, give the events' `aux` parts; errors come as events of the stream."""
        aux: list[Mapping[str, Any]] = []
        for event in events:
            if self.stopped:
                raise Unavailable("The build was interrupted.")
            error = error_of(event)
            if error is not None:
                raise failure(error)
            for line in lines_of(event):
                self._log.append(line)
                self._say(line)
            if isinstance(event.get("aux"), dict):
                aux.append(event["aux"])
        return aux


@contextmanager
def connected(host: str, silence: int) -> Iterator[docker.APIClient]:
    """A client of the engine at `host`, which may be silent for `silence` seconds; Unavailable without one."""
    try:
        _knock(host)
        engine = docker.APIClient(base_url=host, version="auto", timeout=min(silence, _CONNECT_S))
    except (DockerException, requests.RequestException, OSError) as error:
        raise _no_engine(host, error) from error
    engine.timeout = silence
    try:
        yield engine
    except (requests.RequestException, urllib3.exceptions.HTTPError, json.JSONDecodeError) as error:
        raise _no_engine(host, error) from error
    except APIError as error:
        raise Unavailable(f"The Docker Engine at {host} answered: {_words(error)}.") from error
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


def _words(error: APIError) -> str:
    return str(error.explanation or error).strip()
