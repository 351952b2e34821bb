"""Free loopback ports for servers that must be told theirs before they start."""

from __future__ import annotations

import secrets
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which systems draw the ports of outgoing connections (32768 or 49152 and up), so that
# no client takes a port between its choice here and the server's start.
_FIRST, _LAST = 18000, 32000
_given: set[int] = set()


def free_port() -> int:
    """A loopback port that nobody listens on and that this process has not been given before."""
    for _ in range(10_000):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST} on {LOOPBACK}")


def free_ports(count: int) -> tuple[int, ...]:
    """`count` different free ports."""
    return tuple(free_port() for _ in range(count))


def keep(port: int) -> bool:
    """Take a port that an earlier start was given; False when somebody listens on it by now."""
    if not _is_free(port):
        return False
    _given.add(port)
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
