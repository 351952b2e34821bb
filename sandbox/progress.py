"""What the start tells: a line when a part is up, and the list of parts for `status` and the page."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.state import Kind, Part


@dataclass(slots=True)
class Starting:
    """A part while it starts: fill in where it is and what it is."""

    address: str = ""
    detail: str = ""
    kind: Kind = "real"


# As people read them: Kubernetes and what is on it, what is outside of it, Prefect.
_ORDER = [
    "kubernetes",
    "regions",
    "node",
    "gateway",
    "prometheus",
    "registry",
    "engine",
    "git",
    "github",
    "slack",
    "hooks",
    "prefect",
    "serve",
    "tools",
    "page",
]


class Progress:
    """`say` gets a line for each step."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._up: dict[str, Part] = {}

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those that are up, in an order for people; what it does not know comes last."""
        known = [self._up[name] for name in _ORDER if name in self._up]
        return (*known, *(part for name, part in self._up.items() if name not in _ORDER))

    @contextlib.contextmanager
    def part(self, name: str, kind: Kind) -> Iterator[Starting]:
        """The start of a part; it counts as up when the block ends without an error."""
        began, starting = time.monotonic(), Starting(kind=kind)
        try:
            yield starting
        except Exception as error:
            self._say(f"{name}: not started: {error}")
            raise
        seconds = time.monotonic() - began
        self._up[name] = Part(name, starting.kind, starting.address, starting.detail, round(seconds, 2))
        told = ", ".join(word for word in (starting.detail, starting.address) if word)
        self._say(f"{name} ({starting.kind}) up after {seconds:.1f} s{': ' if told else ''}{told}")

    def say_of(self, name: str) -> Callable[[str], None]:
        """For what a part tells while it starts, such as the progress of a build."""
        return lambda line: self._say(f"{name}: {line}")
