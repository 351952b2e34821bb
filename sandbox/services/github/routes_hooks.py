"""The repository's webhook and the record of its deliveries; making one again."""

from __future__ import annotations

import json

from aiohttp import web

from sandbox.services.github.deliveries import HOOK_ID, Attempt, Delivery
from sandbox.services.github.hub import Hub
from sandbox.services.github.problems import not_found
from sandbox.services.github.shapes import Json

_EVENTS = ["pull_request", "push", "release"]


class Hooks:
    """The endpoints; each takes a request and gives GitHub's answer or raises Problem."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self, root: str) -> list[web.RouteDef]:
        one = f"{root}/hooks/{HOOK_ID}/deliveries"
        return [
            web.get(f"{root}/hooks", self.hooks),
            web.get(one, self.deliveries),
            web.get(f"{one}/{{number}}", self.delivery),
            web.post(f"{one}/{{number}}/attempts", self.redeliver),
        ]

    async def hooks(self, _request: web.Request) -> web.Response:
        url = self._hub.deliveries.url
        return web.json_response([] if url is None else [self._hook(url)])

    def _hook(self, url: str) -> Json:
        own = f"{self._hub.shapes.repo_url}/hooks/{HOOK_ID}"
        since = self._hub.shapes.repository()["created_at"]
        return {
            "type": "Repository",
            "id": HOOK_ID,
            "name": "web",
            "active": True,
            "events": _EVENTS,
            "config": {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": "********"},
            "updated_at": since,
            "created_at": since,
            "url": own,
            "test_url": f"{own}/test",
            "ping_url": f"{own}/pings",
            "deliveries_url": f"{own}/deliveries",
            "last_response": {"code": None, "status": "unused", "message": None},
        }

    async def deliveries(self, request: web.Request) -> web.Response:
        """Newest first; a page ends where the next one's `cursor`, the number of its first try, begins."""
        wanted, size = request.query.get("status"), int(request.query.get("per_page", "30"))
        found = [
            (delivery, one)
            for delivery, one in self._tries()
            if wanted not in ("success", "failure") or (wanted == "success") == (200 <= one.status < 400)
        ]
        cursor = request.query.get("cursor", "")
        if cursor:
            found = [pair for pair in found if pair[1].id <= int(cursor)]
        headers = {}
        if len(found) > size:
            there = request.url.update_query(cursor=str(found[size][1].id))
            headers["Link"] = f'<{there}>; rel="next"'
        body = json.dumps([_listed(*pair) for pair in found[:size]])
        return web.Response(text=body, content_type="application/json", headers=headers)

    async def delivery(self, request: web.Request) -> web.Response:
        delivery, one = self._named(request)
        told = {
            "url": self._hub.deliveries.url or "",
            "request": {"headers": {"X-GitHub-Delivery": delivery.id}, "payload": json.loads(delivery.body)},
            "response": {"headers": {}, "payload": ""},
        }
        return web.json_response({**_listed(delivery, one), **told})

    async def redeliver(self, request: web.Request) -> web.Response:
        self._hub.deliveries.redeliver(self._named(request)[0].id)
        return web.json_response({}, status=202)

    def _tries(self) -> list[tuple[Delivery, Attempt]]:
        """Newest first."""
        found = [(delivery, one) for delivery in self._hub.deliveries.sent for one in delivery.attempts]
        return sorted(found, key=lambda pair: pair[1].id, reverse=True)

    def _named(self, request: web.Request) -> tuple[Delivery, Attempt]:
        for delivery, one in self._tries():
            if str(one.id) == request.match_info["number"]:
                return delivery, one
        raise not_found()


def _listed(delivery: Delivery, one: Attempt) -> Json:
    return {
        "id": one.id,
        "guid": delivery.id,
        "delivered_at": one.at,
        "redelivery": one is not delivery.attempts[0],
        "duration": round(one.seconds, 2),
        "status": "OK" if 200 <= one.status < 400 else f"Invalid HTTP Response: {one.status}",
        "status_code": one.status,
        "event": delivery.event,
        "action": delivery.action or None,
        "installation_id": None,
        "repository_id": None,
        "throttled_at": None,
    }
