"""What the builders share, the stand-in against a real registry, and what the engine's words mean."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from clients import context
from clients.archive import ArchiveBuilder
from clients.builds import Build
from clients.docker import EngineBuilder, engine_reachable
from clients.docker_events import build_error, error_of, lines_of, push_error
from clients.registry import Registry
from release.errors import Failed, Refused, TidegateError, Unavailable

DOCKERFILE = "ARG BASE\nFROM $BASE\nARG VERSION\nCOPY . /app\nLABEL version=$VERSION a=dockerfile\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shop.py").write_text("print('open')\n")
    (tmp_path / "src" / "secret.key").write_text("k")
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run").chmod(0o700)
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / ".dockerignore").write_text("# keys\n**/*.key\n")
    return tmp_path


def names(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as content:
        return {info.name: info for info in content}


def test_a_context_is_packed_without_what_is_ignored(folder: Path) -> None:
    packed = names(context.pack(folder, "Dockerfile"))
    assert set(packed) == {".dockerignore", "Dockerfile", "run", "src", "src/shop.py"}
    assert packed["run"].mode == 0o755
    assert packed["src/shop.py"].mode == 0o644


def test_the_packed_bytes_depend_on_the_files_alone(folder: Path) -> None:
    before = context.pack(folder, "Dockerfile")
    os.utime(folder / "run", (1, 1))
    (folder / "src" / "shop.py").chmod(0o600)
    assert context.pack(folder, "Dockerfile") == before
    (folder / "src" / "shop.py").write_text("print('closed')\n")
    assert context.pack(folder, "Dockerfile") != before


@pytest.mark.parametrize("name", ["Containerfile", "../Dockerfile", "src"])
def test_a_dockerfile_outside_the_context_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(Refused, match="Dockerfile"):
        context.dockerfile_in(folder / "src", name)


def build(folder: Path, repository: str, *tags: str) -> Build:
    arguments = {"BASE": "scratch", "VERSION": "1.4.0"}
    return Build(folder, "Dockerfile", repository, tags, arguments, {"a": "build"})


async def test_the_stand_in_pushes_an_image_with_its_labels(folder: Path, registry: Registry) -> None:
    lines: list[str] = []
    job = build(folder, registry.image, "v1.4.0", "latest")
    digest = await ArchiveBuilder(registry).build_and_push(job, lines.append)
    assert await registry.labels(digest) == {"version": "1.4.0", "a": "build"}
    for tag in ("v1.4.0", "latest"):
        found = await registry.manifest(tag)
        assert found is not None
        assert found.digest == digest
    assert "stand-in" in lines[0]
    layer = await registry.blob(found.content["layers"][0]["digest"])
    assert "app/src/shop.py" in names(layer)


async def test_the_stand_in_gives_equal_files_equal_digests(folder: Path, registry: Registry) -> None:
    builder = ArchiveBuilder(registry)
    first = await builder.build_and_push(build(folder, registry.image, "a"), print)
    assert await builder.build_and_push(build(folder, registry.image, "b"), print) == first


async def test_an_image_of_another_registry_is_refused(folder: Path, registry: Registry) -> None:
    for builder in (ArchiveBuilder(registry), EngineBuilder("unix:///nowhere.sock", registry)):
        with pytest.raises(Refused, match="elsewhere"):
            await builder.build_and_push(build(folder, "elsewhere/shop", "v1"), print)


async def test_an_engine_that_is_not_there_is_unavailable(folder: Path, registry: Registry) -> None:
    host = f"unix://{folder}/docker.sock"
    assert await engine_reachable(host) is None
    with pytest.raises(Unavailable, match=r"docker\.sock"):
        await EngineBuilder(host, registry).build_and_push(build(folder, registry.image, "v1"), print)


def test_events_become_lines_without_progress_bars_and_colours() -> None:
    assert lines_of({"stream": "Step 1/2 : FROM scratch\n"}) == ["Step 1/2 : FROM scratch"]
    assert lines_of({"stream": "\x1b[91mred\x1b[0m\n\n"}) == ["red"]
    assert lines_of({"status": "Pushed", "id": "abc", "progressDetail": {}}) == ["abc: Pushed"]
    assert lines_of({"status": "Pushing", "id": "abc", "progressDetail": {"current": 1, "total": 2}}) == []
    assert lines_of({"aux": {"ID": "sha256:1"}}) == []


def test_errors_are_events_too() -> None:
    assert error_of({"stream": "x"}) is None
    assert error_of({"error": "short", "errorDetail": {"message": "long"}}) == "long"
    assert error_of({"error": "short"}) == "short"


COMMAND = "The command '/bin/sh -c pytest' returned a non-zero code: 1"
PULL = "Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (COMMAND, Failed),
        ("The command '/bin/sh -c curl: connection refused' returned a non-zero code: 7", Failed),
        ("COPY failed: file not found in build context", Failed),
        ("dockerfile parse error line 3: unknown instruction: FORM", Failed),
        ("manifest for python:9 not found: manifest unknown", Failed),
        (PULL, Unavailable),
        ("toomanyrequests: You have reached your pull rate limit", Unavailable),
        ("write /data/layer: no space left on device", Unavailable),
        ("pull access denied for base, repository does not exist or may require 'docker login'", Refused),
    ],
)
def test_a_failed_build_is_told_by_its_cause(error: str, kind: type[TidegateError]) -> None:
    assert type(build_error(error, ["Step 1/1 : FROM x"])) is kind


def test_a_failed_build_names_its_step_and_repeats_the_last_lines() -> None:
    log = ["Step 1/2 : FROM x", *(f"old {n}" for n in range(20)), "Step 2/2 : RUN pytest", "1 failed"]
    text = str(build_error(COMMAND, log))
    assert "Step 2/2 : RUN pytest" in text
    assert "1 failed" in text
    assert "old 3" not in text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("unauthorized: authentication required", Refused),
        ("denied: requested access to the resource is denied", Refused),
        ("no basic auth credentials", Refused),
        ("Get https://10.0.0.1/v2/: http: server gave HTTP response to HTTPS client", Refused),
        ("Get http://127.0.0.1:1/v2/: dial tcp 127.0.0.1:1: connect: connection refused", Unavailable),
        ("received unexpected HTTP status: 503 Service Unavailable", Unavailable),
        ("something nobody has seen before", Unavailable),
    ],
)
def test_a_failed_push_is_told_by_its_cause(error: str, kind: type[TidegateError]) -> None:
    assert type(push_error(error, "host/shop:v1")) is kind
