"""One HTTP request answered by a CGI program (RFC 3875), streamed both ways."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from aiohttp import web

_CHUNK = 65536


async def answer_from(program: Path, request: web.Request, environment: Mapping[str, str]) -> web.StreamResponse:
    """Run `program` for `request` and pass its answer on. 500 with its own words when it gives none."""
    process = await asyncio.create_subprocess_exec(
        str(program),
        env=_variables(request) | dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    feeding = asyncio.create_task(_feed(request, process))
    try:
        return await _pass_on(request, process)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _variables(request: web.Request) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.remote or "",
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    # aiohttp unpacks a compressed body, so its length is then not the header's: the program reads to the end.
    if request.content_length is not None and "Content-Encoding" not in request.headers:
        variables["CONTENT_LENGTH"] = str(request.content_length)
    return kept | variables


async def _feed(request: web.Request, process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        async for chunk in request.content.iter_chunked(_CHUNK):
            process.stdin.write(chunk)
            await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _pass_on(request: web.Request, process: asyncio.subprocess.Process) -> web.StreamResponse:
    assert process.stdout is not None
    status, headers = 200, []
    while line := (await process.stdout.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers.append((name, value.strip()))
    if not headers:
        return web.Response(status=500, text="The program gave no answer.\n")
    answer = web.StreamResponse(status=status, headers=dict(headers))
    await answer.prepare(request)
    while chunk := await process.stdout.read(_CHUNK):
        await answer.write(chunk)
    await answer.write_eof()
    return answer
