"""The gateway's sockets and its monitoring, asked over HTTP."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest
from gateway_objects import NS, REGION, endpoint_slice, found, gateway, pod, ref, route, rule, service, world

from sandbox.gateway.monitoring import Monitoring, seconds_of
from sandbox.gateway.sockets import Sockets
from sandbox.gateway.split import SmoothSplit
from sandbox.gateway.table import build
from sandbox.gateway.traffic import Traffic
from sandbox.ports import free_port


@pytest.fixture
async def served():
    """A region on sockets: its traffic, sockets, and ports by listener."""
    ports = {"web": free_port(), "blue": free_port(), "green": free_port()}
    home = Traffic(world(pod("b1"), pod("g1", "1.5.0", latency=0.5)), SmoothSplit())
    slots = found(
        [service("shop-blue"), service("shop-green")],
        [endpoint_slice("shop-blue", "b1"), endpoint_slice("shop-green", "g1")],
    )
    preview = route("shop-preview-green", rule(ref("shop-green")), section="preview-green")
    home.install(NS, build(NS, REGION, [gateway(**ports)], [route("shop", rule(ref("shop-blue"))), preview], slots))
    sockets = Sockets(home)
    await sockets.start()
    await sockets.listen(home.entries)
    yield home, sockets, ports
    await sockets.stop()


async def test_each_listener_has_its_port(served):
    home, _, ports = served
    async with httpx.AsyncClient() as http:
        web = await http.get(f"http://127.0.0.1:{ports['web']}/version?a=1")
        preview = await http.get(f"http://127.0.0.1:{ports['green']}/version")
        nothing = await http.get(f"http://127.0.0.1:{ports['blue']}/version")
        posted = await http.post(f"http://127.0.0.1:{ports['web']}/", json={"cart": 1})
    assert (web.status_code, web.json()["version"]) == (200, "1.4.0")
    assert (preview.status_code, preview.json()["version"]) == (200, "1.5.0")
    assert preview.elapsed.total_seconds() >= 0.5
    assert "simulated" in web.headers["Server"]
    assert (nothing.status_code, posted.status_code) == (404, 200)
    counted = {(labels[0], labels[1], labels[3]) for labels in home.meters[REGION].entrypoints}
    assert counted == {
        ("200", "GET", "web"), ("200", "POST", "web"), ("200", "GET", "preview-green"), ("404", "GET", "preview-blue"),
    }  # fmt: skip


async def test_a_client_that_hangs_up_is_499(served):
    home, _, ports = served
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get(f"http://127.0.0.1:{ports['green']}/", timeout=0.1)
    await asyncio.sleep(0.1)
    assert [labels[0] for labels in home.meters[REGION].services] == ["499"]


async def test_sockets_follow_the_gateways(served):
    _, sockets, ports = served
    await sockets.listen({ports["web"]})
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://127.0.0.1:{ports['green']}/")
        assert (await http.get(f"http://127.0.0.1:{ports['web']}/")).status_code == 200


async def test_a_port_that_is_taken_is_told_and_tried_again(served):
    _, sockets, ports = served
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        await sockets.listen({*ports.values(), port})
        assert "cannot be opened" in sockets.failed[port]
    await sockets.listen({*ports.values(), port})
    assert sockets.failed == {}


@pytest.fixture
async def monitoring(served):
    home, _, ports = served
    monitoring = Monitoring(home.meters, home.clock)
    await monitoring.start()
    async with httpx.AsyncClient(base_url=monitoring.address) as http:
        yield monitoring, http, f"http://127.0.0.1:{ports['web']}/"
    await monitoring.stop()


async def test_metrics_of_all_regions_or_of_one(monitoring):
    _, http, shop = monitoring
    await http.get(shop)
    answers = [await http.get(path) for path in ("/metrics", "/metrics?region=us-east-1", "/metrics/us-east-1")]
    labels = 'code="200",entrypoint="web",method="GET",protocol="http",region="us-east-1"'
    line = f"traefik_entrypoint_requests_total{{{labels}}} 1.0"
    assert [line in answer.text for answer in answers] == [True] * 3
    assert answers[0].headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert (await http.get("/metrics/nowhere")).status_code == 404


async def test_the_error_rate(served, monitoring):
    home, _, _ = served
    _, http, shop = monitoring
    ask = "/api/error-rate?service=shop&region=us-east-1&duration=30s"
    nobody = (await http.get(ask)).json()
    assert (nobody["rate"], nobody["requests"]) == (0.0, 0)
    for rate in (0.0, 1.0):
        home.world.overrides["*", "1.4.0"] = {"error_rate": rate}
        for _ in range(2):
            await http.get(shop)
    some = (await http.get(ask)).json()
    assert (some["rate"], some["requests"], some["errors"]) == (0.5, 4, 2)
    assert (await http.get("/api/error-rate?service=other&duration=10m")).json()["requests"] == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("service=shop&duration=soon", 400),
        ("service=shop&duration=2h", 400),
        ("duration=30s", 400),
        ("service=shop&region=nowhere&duration=30s", 404),
    ],
)
async def test_wrong_questions_are_told(monitoring, query, status):
    _, http, _ = monitoring
    answer = await http.get(f"/api/error-rate?{query}")
    assert answer.status_code == status
    assert any(name in answer.text for name in ("duration", "service", "region"))


async def test_a_liar_shows_old_counters_with_their_time(monitoring):
    monitor, http, shop = monitoring
    await http.get(shop)
    monitor.freeze("us-east-1")
    await http.get(shop)
    lie = (await http.get("/metrics")).text
    [line] = [each for each in lie.splitlines() if each.startswith("traefik_entrypoint_requests_total")]
    assert line.split()[1] == "1.0"
    assert len(line.split()) == 3
    rate = (await http.get("/api/error-rate?service=shop&region=us-east-1&duration=30s")).json()
    assert rate["requests"] == 1
    monitor.thaw()
    [line] = [each for each in (await http.get("/metrics")).text.splitlines() if "entrypoint_requests_total{" in each]
    assert line.split()[1:] == ["2.0"]


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("10m", 600), ("500ms", 0.5), ("1.5h", 5400), ("x", None)])
def test_durations(text, seconds):
    assert seconds_of(text) == seconds
