"""A kubeconfig as the official client wants it: read each time, parsed once for each text of it."""

from __future__ import annotations

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from release.errors import Refused

# What may name a file relative to the kubeconfig's own folder.
_FILES = {
    "clusters": ("cluster", ("certificate-authority",)),
    "users": ("user", ("client-certificate", "client-key", "tokenFile")),
}


def read(path: Path) -> dict[str, Any]:
    """Its content, the caller's to change; files that it names are absolute. Raises Refused(field=kubeconfig)."""
    if not path.is_file():
        raise Refused(f"The file {path} is not there.", field="kubeconfig")
    try:
        found = deepcopy(_parsed(path.read_text()))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Refused(f"The file {path} cannot be read: {error}", field="kubeconfig") from error
    if not isinstance(found, dict):
        raise Refused(f"The file {path} is no kubeconfig.", field="kubeconfig")
    for section, (inside, names) in _FILES.items():
        for entry in found.get(section) or ():
            named = entry.get(inside) or {}
            named |= {name: str(path.parent / named[name]) for name in names if named.get(name)}
    return found


@lru_cache(maxsize=8)
def _parsed(words: str) -> Any:
    """A release opens hundreds of connections; parsing for each took a fifth of its processor time."""
    return yaml.safe_load(words)
