"""The control plane's binaries and Gateway API's CRDs: found, or built once from pinned sources."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from clients.cachefolder import Say, filled_once
from sandbox.gotool import copy_files, go_tool

HERE = Path(__file__).parent
MINOR = 37
VERSION = f"v1.{MINOR}.2"
_STAMP = "k8s.io/component-base/version"
_LDFLAGS = f"-s -w -X {_STAMP}.gitVersion={VERSION} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor={MINOR}"
_NAMES = ("etcd", "kube-apiserver", "kube-controller-manager")


@dataclass(frozen=True, slots=True)
class Binaries:
    """Paths of the three executables."""

    etcd: Path
    apiserver: Path
    controller_manager: Path

    @classmethod
    def of(cls, folder: Path) -> Binaries:
        """Those in `folder`, by their usual names."""
        return cls(*(folder / name for name in _NAMES))


async def ensure(cache: Path, say: Say) -> Binaries:
    """The binaries: of the folder KUBEBUILDER_ASSETS if it holds all three, else of the cache, built if need be.

    The first build takes minutes; `say` gets its progress. Raises Unavailable when it fails.
    """
    assets = Path(os.environ.get("KUBEBUILDER_ASSETS") or os.devnull)
    if all(os.access(assets / name, os.X_OK) for name in _NAMES):
        return Binaries.of(assets)
    folder = cache / "controlplane" / _key(HERE, _LDFLAGS)
    return Binaries.of(await go_tool(HERE, folder, say, cache=cache, ldflags=_LDFLAGS, finish=_name_etcd))


async def ensure_crds(cache: Path, say: Say) -> tuple[Path, ...]:
    """Gateway API's standard CRDs as YAML files, one CRD a file, copied into the cache."""
    source = HERE / "gatewayapi"

    async def fill(folder: Path) -> None:
        say("fetching Gateway API's CRDs")
        # Not v*: the same folder holds a validating admission policy.
        pattern = "config/crd/standard/gateway.networking.k8s.io_[!v]*.yaml"
        await copy_files(source, "sigs.k8s.io/gateway-api", pattern, folder, cache, say)

    folder = await filled_once(cache / "gatewayapi" / _key(source, ""), fill, say)
    return tuple(sorted(folder.glob("*.yaml")))


def _name_etcd(folder: Path) -> None:
    # Go names a binary after its package's folder.
    (folder / "server").rename(folder / "etcd")


def _key(module_dir: Path, flags: str) -> str:
    """What decides the result, as a folder name: the pinned sources, the flags and the machine's kind."""
    parts = [(module_dir / name).read_bytes() for name in ("go.mod", "go.sum")]
    parts += [flags.encode(), platform.system().encode(), platform.machine().encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
