"""What every image builder gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from release.errors import Refused

OnLine = Callable[[str], None]


@dataclass(frozen=True)
class Build:
    """An image to build and push.

    `dockerfile` is relative to `context`; `repository` is `host:port/name`, the one of the builder's registry;
    all `tags` get the image, and a tag that names another image is moved. `labels` are OCI annotations.
    """

    context: Path
    dockerfile: str
    repository: str
    tags: tuple[str, ...]
    build_args: Mapping[str, str]
    labels: Mapping[str, str]


def check(build: Build, repository: str) -> None:
    """Raises Refused unless the image goes to `repository`, the one of the builder's registry, under a tag."""
    if build.repository != repository or not build.tags:
        raise Refused(
            f"The image {build.repository} is not one of the registry's repository {repository}.",
            field="application.image",
            next_step="let application.image and registry.url name the same registry",
        )


class Builder(Protocol):
    """`name` says to people which builder ran."""

    name: str

    async def build_and_push(self, build: Build, on_line: OnLine) -> str:
        """Build, push under every tag, and give the digest under which the registry holds the image.

        `on_line` gets the log as it comes. Raises Failed when the build fails, Unavailable when the engine or a
        registry does not answer, Refused when credentials or settings are wrong.
        """
        ...
