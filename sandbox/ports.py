"""Free loopback ports for servers that must be told theirs before they start."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tempfile
from functools import cache
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which systems draw the ports of outgoing connections (32768 or 49152 and up), so that
# no client takes a port between its choice here and the server's start.
_FIRST, _LAST = 18000, 32000
_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody listens on and that no process of this user has been given, as long as that lives."""
    for _ in range(10_000):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if port not in _given and keep(port):
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST} on {LOOPBACK}")


def free_ports(count: int) -> tuple[int, ...]:
    """`count` different free ports."""
    return tuple(free_port() for _ in range(count))


def keep(port: int) -> bool:
    """Take a port that an earlier start was given; False when somebody listens on it by now, or is about to."""
    if not (_is_ours(port) and _is_free(port)):
        return False
    _given.add(port)
    return True


def _is_ours(port: int) -> bool:
    """Between a port's choice and its server's start another sandbox must not choose it too: a lock a port.

    Locks of a byte range belong to the process, and end with it however it ends.
    """
    try:
        fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _locks() -> int:
    # Never closed: closing any descriptor of the file would end this process's locks.
    file = Path(tempfile.gettempdir()) / f"tidegate-ports-{os.getuid()}"
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
