"""What every image builder gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

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


class Builder(Protocol):
    """`name` says to people which builder ran."""

    name: str

    async def build_and_push(self, build: Build, on_line: OnLine) -> str:
        """Build, push under every tag, and give the digest under which the registry holds the image.

        `on_line` gets the log as it comes. Raises Failed when the build fails, Unavailable when the engine or a
        registry does not answer, Refused when credentials or settings are wrong.
        """
        ...
