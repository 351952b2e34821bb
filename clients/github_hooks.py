"""GitHub's record of the webhook deliveries that it made, and asking it to make one again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from githubkit.response import Response
from githubkit.utils import UNSET

from clients.github_api import Api
from clients.github_errors import take
from release.errors import Refused
from release.missed import Try

_A_PAGE = 100
_MOST_PAGES = 20
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class Hooks(Api):
    """The webhooks of one repository. Raises Refused, also where the token may not see them, and Unavailable, as
    clients.github_api.Api says."""

    async def find(self, path: str) -> int:
        """The webhook whose payload address ends in `path`; its number. Raises Refused where there is none."""
        what = f"list the webhooks of {self.repo}"
        call = self._kit.rest.repos.async_list_webhooks(self._owner, self._name, per_page=_A_PAGE)
        for one in await self._send(what, call):
            number, config = take(what, one, "id", "config")
            if urlsplit(str(config.get("url") or "")).path.endswith(path):
                return int(number)
        raise Refused(
            f"no webhook of {self.repo} has a payload URL that ends in {path}.",
            field="application.github",
            next_step="Add it at GitHub: Settings, Webhooks.",
        )

    async def failed(self, hook: int, since: float) -> list[Try]:
        """Tries at `since` or later (seconds since the epoch) that GitHub counts as failed, newest first."""
        what, cursor, found = "list the deliveries of the webhook", "", list[Try]()
        for _ in range(_MOST_PAGES):
            call = self._kit.rest.repos.async_list_webhook_deliveries(
                self._owner, self._name, hook, per_page=_A_PAGE, cursor=cursor or UNSET, status="failure"
            )
            links: list[str] = []
            page = [_try(what, one) for one in await self._send(what, _noting(call, links))]
            found += [one for one in page if one.at >= since]
            cursor = _cursor(links[0]) if links else ""
            if not cursor or not page or page[-1].at < since:
                break
        return found

    async def payload(self, hook: int, number: int) -> tuple[str, Mapping[str, Any]]:
        """What a try was to deliver: the event's name and its body, empty where GitHub does not show it."""
        what = f"show the delivery {number} of the webhook"
        call = self._kit.rest.repos.async_get_webhook_delivery(self._owner, self._name, hook, number)
        event, request = take(what, await self._send(what, call), "event", "request")
        body = request.get("payload") if isinstance(request, dict) else None
        return str(event), body if isinstance(body, dict) else {}

    async def redeliver(self, hook: int, number: int) -> None:
        """Have GitHub make that delivery again, with the same id, body and signature."""
        call = self._kit.rest.repos.async_redeliver_webhook_delivery(self._owner, self._name, hook, number)
        await self._send(f"make the delivery {number} of the webhook again", call)


async def _noting(call: Any, links: list[str]) -> Response[Any, Any]:
    """The answer, with its Link header put into `links`."""
    answer = cast(Response[Any, Any], await call)
    links += answer.headers.get_list("link")
    return answer


def _cursor(link: str) -> str:
    found = _NEXT.search(link)
    return parse_qs(urlsplit(found[1]).query).get("cursor", [""])[0] if found else ""


def _try(what: str, item: Any) -> Try:
    number, delivery, at, status = take(what, item, "id", "guid", "delivered_at", "status_code")
    return Try(int(number), str(delivery), datetime.fromisoformat(at).timestamp(), int(status))
