"""One build on the engine, in a thread of its own: the docker SDK blocks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from docker.errors import APIError

from clients import context, tracing
from clients.builds import Build, check
from clients.docker_engine import Engine, connected, words
from clients.docker_events import build_error, error_of, lines_of, push_error
from clients.registry import Registry
from release.errors import TidegateError, Unavailable


class Job:
    """Log in, build, tag and push. `interrupt`, from another thread, ends it at once."""

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
        self._engine: Engine | None = None
        self._stopped = False

    def run(self) -> dict[str, str]:
        """The digest that each tag was pushed with; errors as of Builder."""
        build = self._build
        check(build, self._registry.image)
        context.dockerfile_in(build.context, build.dockerfile)
        with connected(self._host, self._silence) as engine:
            self._engine = engine
            self._login(engine)
            image = self._built(engine)
            for tag in build.tags:
                with tracing.call("docker", "tag"):
                    engine.tag(image, build.repository, tag)
            return {tag: self._pushed(engine, tag) for tag in build.tags}

    def interrupt(self) -> None:
        """The engine ends a build whose client has gone."""
        self._stopped = True
        if self._engine is not None:
            self._engine.interrupt()

    def _login(self, engine: Engine) -> None:
        """Before the build, so that a wrong password costs a moment; kept in memory, for base images too."""
        if (user := self._registry.username) is None:
            return
        try:
            with tracing.call("docker", "login"):
                engine.login(user, self._registry.password, registry=self._registry.host, reauth=True)
        except APIError as error:
            raise push_error(words(error), self._registry.image) from error

    def _built(self, engine: Engine) -> str:
        build = self._build
        archive = io.BytesIO(context.pack(build.context, build.dockerfile))
        fetched = self._fetched(engine)
        try:
            with tracing.call("docker", "build"):
                events = engine.build(
                    fileobj=archive,
                    custom_context=True,
                    dockerfile=build.dockerfile,
                    buildargs=dict(build.build_args),
                    labels=dict(build.labels),
                    cache_from=fetched or None,
                    rm=True,
                    forcerm=True,
                    decode=True,
                    timeout=self._silence,
                )
                aux = self._follow(events, lambda error: build_error(error, self._log))
        except APIError as error:
            raise build_error(words(error), self._log) from error
        image = next((str(found["ID"]) for found in aux if "ID" in found), None)
        if image is None:
            raise Unavailable("The engine ended the build without an image.", next_step="read the engine's log")
        return image

    def _fetched(self, engine: Engine) -> list[str]:
        """The images to take layers from; one that cannot be fetched only makes the build slower."""
        images = [f"{self._build.repository}:{tag}" for tag in self._cache_from]
        for image in images:
            with suppress(APIError, TidegateError), tracing.call("docker", "pull"):
                self._follow(engine.pull(image, stream=True, decode=True, auth_config=self._auth()), Unavailable)
        return images

    def _pushed(self, engine: Engine, tag: str) -> str:
        build = self._build
        image = f"{build.repository}:{tag}"
        try:
            with tracing.call("docker", "push"):
                events = engine.push(build.repository, tag=tag, stream=True, decode=True, auth_config=self._auth())
                aux = self._follow(events, lambda error: push_error(error, image))
        except APIError as error:
            raise push_error(words(error), image) from error
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
            if self._stopped:
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
