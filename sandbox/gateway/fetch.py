"""What a pod gets for a URL inside the cluster, as kube-proxy and the cluster's DNS would have it."""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.gateway.model import Request, ServicePort
from sandbox.gateway.routing import TEXT, respond
from sandbox.gateway.traffic import Traffic
from sandbox.world import Answer

DOMAIN = ("svc", "cluster", "local")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Inside:
    """`fetch` is what `World.fetch` is set to."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic

    async def fetch(self, namespace: str, url: str) -> Answer:
        """GET `url` from a pod in `namespace`; whoever asks waits the answer's `seconds`.

        Status 0 when there is no answer at all: the name does not resolve or the connection is refused; the
        body says which.
        """
        parts = urlsplit(url if "//" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 80)
        path = parts.path or "/"
        answer = self._loopback(port, path) if host in ("127.0.0.1", "localhost") else None
        return answer or self._service(namespace, host, port, path)

    def _loopback(self, port: int, path: str) -> Answer | None:
        """The address of a listener, which on this machine is where the gateway is."""
        entry = self._traffic.entries.get(port)
        if entry is None:
            return None
        request = Request(path=path)
        reply = self._traffic.arrive(entry, request)
        self._traffic.finish(entry, request, reply, reply.answer.status, reply.answer.seconds)
        return reply.answer

    def _service(self, namespace: str, host: str, port: int, path: str) -> Answer:
        name, *rest = host.split(".")
        where = rest[0] if rest else namespace
        table = self._traffic.tables.get(where)
        if table is None or name not in table.services or tuple(rest[1:]) != DOMAIN[: max(len(rest) - 1, 0)]:
            return _none(f"no such host: {host} does not resolve in namespace {namespace}")
        known = next((each for each in table.services[name] if each.port == port), None)
        if known is None:
            return _none(f"connection refused: Service {where}/{name} has no port {port}")
        if not known.endpoints:
            return _none(f"connection refused: Service {where}/{name} has no ready pod")
        return self._pod(known, f"{where}/{name}:{port}", path)

    def _pod(self, known: ServicePort, key: str, path: str) -> Answer:
        world = self._traffic.world
        endpoint = known.endpoints[self._traffic.split.turn(key, len(known.endpoints))]
        pod = world.pods.get(endpoint.uid)
        if pod is None or not pod.serving or (pod.ports and endpoint.port not in pod.ports):
            return _none(f"connection refused: a pod behind {key} does not listen on port {endpoint.port}")
        pod.requests += 1
        return respond(pod, path, self._traffic.split, world.overrides)


def _none(why: str) -> Answer:
    return Answer(0, f"{why}\n".encode(), TEXT)
