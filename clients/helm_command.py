"""How the helm executable is called.

Values travel on standard input, so that nothing of them is in an argument list that others on the machine can read;
secrets are not even among them (the chart takes the name of a Secret). Tokens stay in the kubeconfig.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients import helm_errors
from clients.process import Completed, run
from release.errors import Refused

# Helm throttles itself to 20 requests a second by default: with ten old ReplicaSets an upgrade took 4.6 s, not 0.3.
# Collecting garbage takes a quarter of its processor time: an upgrade of ten replicas 0.69 s, and 0.50 with this.
SPEED = {"HELM_QPS": "1000", "HELM_BURST_LIMIT": "2000", "HELM_NO_PLUGINS": "1", "GOGC": "400"}
# What would silently send a command elsewhere than the settings say.
_FOREIGN = ("HELM_KUBE", "HELM_NAMESPACE", "HELM_DRIVER", "HELM_DEBUG", "KUBECONFIG")
_READ = 30.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a release lives: a kubeconfig context and a namespace."""

    context: str
    namespace: str


class HelmCommand:
    """`executable` is a path or a name on PATH. `cache` keeps what Helm learns of an API server between two calls."""

    def __init__(self, executable: str, kubeconfig: Path, *, cache: Path | None = None) -> None:
        self._executable = executable
        self._kubeconfig = kubeconfig
        self._cache = cache

    async def version(self) -> str:
        """The executable's version, such as v4.3.1."""
        done = await run([self._executable, "version", "--short"], env=self._environment(), timeout=_READ)
        if done.code != 0:
            raise Refused(f"{self._executable} is not a working helm.", field="helm")
        return done.stdout.strip().partition("+")[0]

    async def call(
        self,
        at: Place,
        words: Sequence[str],
        release: str,
        *,
        values: Mapping[str, Any] | None = None,
        timeout: float = _READ,
    ) -> Completed:
        """Run `helm WORDS` and raise what it complains of, as one of Tidegate's errors."""
        done = await self.attempt(at, words, values=values, timeout=timeout)
        if done.code != 0:
            raise helm_errors.from_stderr(done.stderr, words[0], at.context, release)
        return done

    async def attempt(
        self, at: Place, words: Sequence[str], *, values: Mapping[str, Any] | None = None, timeout: float
    ) -> Completed:
        """Run `helm WORDS` and return how it ended, whatever its exit code."""
        where = ["--kubeconfig", str(self._kubeconfig), "--kube-context", at.context, "--namespace", at.namespace]
        stdin = None if values is None else json.dumps(values).encode()
        argv = [self._executable, *words, *where]
        return await run(argv, env=self._environment(), stdin=stdin, timeout=timeout)

    def _environment(self) -> dict[str, str]:
        """The user's environment, which credential plugins of a kubeconfig need, without what would redirect Helm."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
        cache = {} if self._cache is None else {"KUBECACHEDIR": str(self._cache)}
        return {**kept, **SPEED, **cache}
