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
from clients.github_app import App
from clients.github_errors import app_failure, take
from release.errors import Refused
from release.missed import Try

_A_PAGE = 100
_MOST_PAGES = 20
# A webhook of the repository by its number, or the App's own, which has none: GitHub tells of it to the App alone.
Hook = int | None
OWN = None
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class Hooks(Api):
    """The webhooks of one repository, and the App's own. Raises Refused, also where the token may not see them, and
    Unavailable, as clients.github_api.Api says."""

    async def find(self, path: str) -> Hook:
        """The webhook whose payload address ends in `path`. Raises Refused where there is none."""
        app = isinstance(self._access, App)
        if app and await self._is_own(path):
            return OWN
        what = f"list the webhooks of {self.repo}"
        call = self._kit.rest.repos.async_list_webhooks(self._owner, self._name, per_page=_A_PAGE)
        for one in await self._send(what, call):
            number, config = take(what, one, "id", "config")
            if _leads_to(path, config):
                return int(number)
        raise Refused(
            f"no webhook of {self.repo}{', nor the App,' if app else ''} has a payload URL that ends in {path}.",
            field="application.github",
            next_step=f"Add it at GitHub: Settings, Webhooks{'; or at the App, General' if app else ''}.",
        )

    async def _is_own(self, path: str) -> bool:
        call = self._kit.rest.apps.async_get_webhook_config_for_app()
        config = await self._send("look up the App's webhook", call, none_at={404}, failing=app_failure)
        return isinstance(config, dict) and _leads_to(path, config)

    async def failed(self, hook: Hook, since: float) -> list[Try]:
        """Tries at `since` or later (seconds since the epoch) that GitHub counts as failed, newest first."""
        what, cursor, found = "list the deliveries of the webhook", "", list[Try]()
        kit, at = self._calls(hook)
        for _ in range(_MOST_PAGES):
            call = kit.async_list_webhook_deliveries(*at, per_page=_A_PAGE, cursor=cursor or UNSET, status="failure")
            links: list[str] = []
            page = [_try(what, one) for one in await self._send_of(hook, what, _noting(call, links))]
            found += [one for one in page if one.at >= since]
            cursor = _cursor(links[0]) if links else ""
            if not cursor or not page or page[-1].at < since:
                break
        return found

    async def payload(self, hook: Hook, number: int) -> tuple[str, Mapping[str, Any]]:
        """What a try was to deliver: the event's name and its body, empty where GitHub does not show it."""
        what, (kit, at) = f"show the delivery {number} of the webhook", self._calls(hook)
        answer = await self._send_of(hook, what, kit.async_get_webhook_delivery(*at, number))
        event, request = take(what, answer, "event", "request")
        body = request.get("payload") if isinstance(request, dict) else None
        return str(event), body if isinstance(body, dict) else {}

    async def redeliver(self, hook: Hook, number: int) -> None:
        """Have GitHub make that delivery again, with the same id, body and signature."""
        what, (kit, at) = f"make the delivery {number} of the webhook again", self._calls(hook)
        await self._send_of(hook, what, kit.async_redeliver_webhook_delivery(*at, number))

    def _calls(self, hook: Hook) -> tuple[Any, tuple[Any, ...]]:
        """githubkit's calls about it, which have the same names for both kinds, and what names it in them."""
        if hook is OWN:
            return self._kit.rest.apps, ()
        return self._kit.rest.repos, (self._owner, self._name, hook)

    async def _send_of(self, hook: Hook, what: str, call: Any) -> Any:
        return await self._send(what, call, failing=app_failure if hook is OWN else None)


def _leads_to(path: str, config: Mapping[str, Any]) -> bool:
    return urlsplit(str(config.get("url") or "")).path.endswith(path)


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
