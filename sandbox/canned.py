"""Answer an HTTP/1.1 request with an error, whatever it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import json

_REASONS = {429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}
_KUBERNETES = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
_BODY_LIMIT = 1 << 20
# How long a client may take to send its request, and to read the answer, in seconds.
_PATIENCE = 30.0
_LINGER = 1.0


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int, retry_after: float) -> None:
    """Read one request, answer `status`, and close; 429 carries Retry-After (whole seconds)."""
    async with asyncio.timeout(_PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        await _skip_body(reader, head)
    writer.write(_response(status, retry_after, head.startswith(b"HEAD ")))
    await writer.drain()
    # Closing with bytes unread would reset the connection, and the client could miss the answer.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER):
            while await reader.read(65536):
                pass
    writer.close()


async def _skip_body(reader: asyncio.StreamReader, head: bytes) -> None:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and 0 < int(value) <= _BODY_LIMIT:
            await reader.readexactly(int(value))


def _response(status: int, retry_after: float, head_only: bool) -> bytes:
    # A Kubernetes Status, whose `message` other clients show as well.
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": _KUBERNETES[status],
        "message": f"{status} {_REASONS[status]}: a fault that was switched on in the sandbox",
        "code": status,
    }
    content = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", "Content-Type: application/json", "Connection: close"]
    lines.append(f"Content-Length: {len(content)}")
    if status == 429:
        lines.append(f"Retry-After: {max(1, round(retry_after))}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if head_only else content)
