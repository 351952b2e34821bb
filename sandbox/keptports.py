"""Loopback ports that stay the same from one start to the next, because things that are kept name them."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.ports import free_port, keep


class KeptPorts:
    """A port a name, remembered in `file`; another one only where somebody else has taken it meanwhile."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._ports: dict[str, int] = json.loads(file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            self._ports = {}
        self._mine: set[str] = set()

    def port(self, name: str) -> int:
        """The port of `name`."""
        kept = self._ports.get(name)
        if name not in self._mine and (kept is None or not keep(kept)):
            self._ports[name] = free_port()
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps(self._ports, indent=1, sort_keys=True))
        self._mine.add(name)
        return self._ports[name]
