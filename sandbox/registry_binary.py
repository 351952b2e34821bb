"""A registry's executable in the machine's cache: Debian's package unpacked without root, else crane from source."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from release.errors import TidegateError, Unavailable
from sandbox.debian import unpacked
from sandbox.gotool import go_tool

_PACKAGE = "docker-registry"
_CRANE = Path(__file__).parent / "registry_crane"
_CRANE_VERSION = "0.22.1"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RegistryBinary:
    """`distribution` takes a configuration file and asks for credentials; `crane` does neither."""

    kind: Literal["distribution", "crane"]
    path: Path


async def ensure(cache: Path, say: Say) -> RegistryBinary:
    """The registry to run: from PATH, the cache, Debian's package or the Go module proxy, in that order.

    Raises Unavailable when none of them can be had.
    """
    installed = shutil.which(_PACKAGE)
    if installed is not None:
        return RegistryBinary("distribution", Path(installed))
    found = await unpacked(_PACKAGE, Path("usr/bin") / _PACKAGE, cache / "registry", say)
    return RegistryBinary("distribution", found) if found else await _crane(cache / "registry", say)


async def _crane(folder: Path, say: Say) -> RegistryBinary:
    """`crane`, built from the pinned modules of sandbox/registry_crane; its registry keeps manifests in memory."""
    out = folder / f"crane-{_CRANE_VERSION}"
    say("building crane's registry instead of Debian's, where that is not built yet")
    try:
        built = await go_tool(_CRANE, out, say, cache=folder.parent)
    except TidegateError as error:
        raise Unavailable(
            f"No registry can be had: {error.what}",
            next_step=f"install Debian's {_PACKAGE}, or Go, then try again",
        ) from error
    return RegistryBinary("crane", built / "crane")
