"""Every fault looks to a client as it would from outside, and ends when it is ended."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from release.errors import Refused
from sandbox.certificate import self_signed
from sandbox.faultproxy import Fault, FaultProxy
from sandbox.faults import Faults


@pytest.fixture
async def upstream() -> AsyncIterator[int]:
    """A server whose /stream never ends by itself, and whose / tells the length of what was sent."""

    async def root(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"tick\n")
            await asyncio.sleep(0.02)

    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/", root)
    app.router.add_get("/stream", stream)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture
async def faults(upstream: int) -> AsyncIterator[Faults]:
    both = [FaultProxy("gateway", "127.0.0.1", upstream, region=name) for name in ("here", "there")]
    faults = Faults([*both, FaultProxy("github", "127.0.0.1", upstream)])
    await faults.start()
    yield faults
    await faults.stop()


def url(faults: Faults, name: str = "github", region: str | None = None) -> str:
    found = [s for s in faults.state() if s["name"] == name and s["region"] == region]
    return f"http://{found[0]['address']}/"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as client:
        yield client


async def test_bytes_pass_both_ways_on_one_connection(faults: Faults, http: httpx.AsyncClient) -> None:
    assert (await http.get(url(faults))).text == "0"
    assert (await http.post(url(faults), content=b"x" * 5_000_000)).text == "5000000"


async def test_down_hangs_up(faults: Faults, http: httpx.AsyncClient) -> None:
    await faults.set("github", "down")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await http.get(url(faults))
    await faults.set("github", "ok")
    assert (await http.get(url(faults))).is_success


async def test_refused_closes_the_port_and_takes_the_same_one_again(faults, http) -> None:
    address = url(faults)
    assert (await http.get(address)).is_success
    await faults.set("github", "refused")
    with pytest.raises(httpx.ConnectError):
        await http.get(address)
    await faults.clear()
    assert (await http.get(address)).is_success


async def test_slow_delays_each_request_but_once(faults: Faults, http: httpx.AsyncClient) -> None:
    await http.get(url(faults))
    await faults.set("github", "slow", seconds=0.2)
    for body in (b"", b"x" * 1_000_000):
        started = time.monotonic()
        assert (await http.post(url(faults), content=body)).is_success
        assert 0.2 <= time.monotonic() - started < 0.6


async def test_cut_ends_streams(faults: Faults, http: httpx.AsyncClient) -> None:
    await faults.set("github", "cut", seconds=0.2)
    started = time.monotonic()
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        async with http.stream("GET", url(faults) + "stream") as response:
            async for _ in response.aiter_bytes():
                pass
    assert 0.1 < time.monotonic() - started < 1


async def test_a_stream_that_is_open_ends_when_the_fault_starts(faults, http) -> None:
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        async with http.stream("GET", url(faults) + "stream") as response:
            async for _ in response.aiter_bytes():
                await faults.set("github", "down")


@pytest.mark.parametrize("mode", ["500", "503", "429"])
async def test_answers_reach_clients_that_keep_their_connection(faults, http, mode: str) -> None:
    assert (await http.get(url(faults))).is_success
    await faults.set("github", mode, retry_after=7)
    for _ in range(2):
        answer = await http.post(url(faults), json={"some": "body"})
        assert answer.status_code == int(mode)
        assert answer.headers.get("Retry-After") == ("7" if mode == "429" else None)
    assert (await http.post(url(faults), content=b"x" * 3_000_000)).status_code == int(mode)
    await faults.clear()
    assert (await http.get(url(faults))).is_success


async def test_a_region_fails_alone_and_all_without_a_name(faults, http) -> None:
    await faults.set("gateway", "500", region="there")
    assert (await http.get(url(faults, "gateway", "here"))).is_success
    assert (await http.get(url(faults, "gateway", "there"))).status_code == 500
    await faults.set("gateway", "429")
    assert (await http.get(url(faults, "gateway", "here"))).status_code == 429
    assert {s["mode"] for s in faults.state()} == {"429", "ok"}


@pytest.mark.parametrize(
    ("name", "mode", "region", "more", "field"),
    [
        ("nothing", "down", None, {}, "name"),
        ("gateway", "broken", None, {}, "mode"),
        ("gateway", "lying", None, {}, "mode"),
        ("gateway", "down", "mars", {}, "region"),
        ("github", "down", "here", {}, "region"),
        ("github", "slow", None, {"seconds": -1}, "parameters"),
        ("github", "slow", None, {"minutes": 1}, "parameters"),
    ],
)
async def test_what_is_not_there_is_refused(faults, name, mode, region, more, field) -> None:
    with pytest.raises(Refused) as caught:
        await faults.set(name, mode, region, **more)
    assert caught.value.field == field


async def test_lying_is_told_to_who_can(faults: Faults) -> None:
    told: list[tuple[bool, str | None]] = []
    faults.add_liar("gateway", lambda on, region: told.append((on, region)))
    await faults.set("gateway", "lying", "here")
    assert [s["mode"] for s in faults.state()] == ["lying", "ok", "ok"]
    await faults.clear()
    assert told == [(True, "here"), (False, None)]


async def test_tls_passes_through_and_is_answered_with_the_same_certificate(tmp_path: Path, upstream: int) -> None:
    certificate, key = self_signed(tmp_path)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, key)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=serving)
    trusted = ssl.create_default_context(cafile=certificate)
    proxies = [
        FaultProxy("kubernetes", *server.sockets[0].getsockname(), tls=(certificate, key), reencrypt=again)
        for again in (None, trusted)
    ]
    try:
        async with httpx.AsyncClient(verify=trusted) as client:
            for proxy in proxies:
                await proxy.start()
                address = f"https://{proxy.address}/"
                assert (await client.get(address)).text == "hello"
                await proxy.set(Fault("429", retry_after=2))
                assert (await client.get(address)).headers["Retry-After"] == "2"
                await proxy.set(Fault())
                assert (await client.get(address)).text == "hello"
    finally:
        for proxy in proxies:
            await proxy.stop()
        server.close()
        await server.wait_closed()
