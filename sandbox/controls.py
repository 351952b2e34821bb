"""What the page and the control API show of a running sandbox, and what they can change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from release.errors import Refused
from sandbox.gateway import split
from sandbox.page.observer import Observer
from sandbox.page.verdicts import Verdicts
from sandbox.services.github.state import Deployment
from sandbox.services.slack import Message
from sandbox.timedfaults import TimedFaults
from sandbox.world import Behaviour

if TYPE_CHECKING:
    from sandbox.supervisor import Sandbox

_SERIES_S = 130
_RATE_OVER_S = 5
_SHOWN = 50
_LONGEST_LAG_S = 60.0
_BEHAVIOUR = {field.name for field in fields(Behaviour)}


class Controls:
    """See `sandbox.page.server.Controls`."""

    def __init__(self, sandbox: Sandbox, observer: Observer, faults: TimedFaults) -> None:
        self._sandbox, self._observer, self._faults = sandbox, observer, faults
        self._verdicts = Verdicts(sandbox.home / "work" / "runs")

    async def picture(self) -> Mapping[str, Any]:
        sandbox = self._sandbox
        drawn = {region["region"]: region for region in sandbox.gateway.snapshot(_SERIES_S)}
        seen = await self._observer.regions()
        return {
            "now": time.time(),
            "phase": sandbox.phase,
            "speed": sandbox.world.speed,
            "parts": [
                {"name": p.name, "kind": p.kind, "address": p.address, "detail": p.detail}
                for p in sandbox.progress.parts
            ],
            "regions": [{**region, **_users(drawn.get(region["name"], {}))} for region in seen],
            "verdicts": [asdict(one) for one in await asyncio.to_thread(self._verdicts.newest)],
            "faults": self._faults.state(),
            "slack": [_message(one) for one in sandbox.outside.slack.messages[-_SHOWN:]],
            "monitoring": [{"at": one.at, **one.payload} for one in sandbox.outside.hooks.events[-_SHOWN:]],
            "backups": [{"at": one.at, **one.payload} for one in sandbox.outside.hooks.backups[-_SHOWN:]],
            "deployments": [_deployment(one) for one in sandbox.outside.deployments()[-_SHOWN:]],
            "traffic": {"rate": sandbox.gateway.users.rate, "lag": sandbox.gateway.lag},
            "behaviour": [
                {"region": region, "version": version, "fields": dict(changed)}
                for (region, version), changed in sandbox.world.overrides.items()
            ],
        }

    async def github(self) -> Mapping[str, Any]:
        github = self._sandbox.outside.github
        sent = [{"id": one.id, "event": one.event, "tries": len(one.attempts)} for one in github.deliveries]
        return {**github.state.whole(), "deliveries": sent}

    async def chart(self, region: str) -> str | None:
        return await asyncio.to_thread(self._verdicts.draw, region)

    async def set_fault(self, body: Mapping[str, Any]) -> None:
        name, mode, most = _text(body, "name"), _text(body, "mode"), 86_400
        asked = {"seconds": _number(body, "delay", 0, most), "retry_after": _number(body, "retry_after", 0, most)}
        given = {key: value for key, value in asked.items() if value is not None}
        await self._faults.set(name, mode, self._region(body), _number(body, "seconds", 0, most), **given)

    async def clear_faults(self, body: Mapping[str, Any]) -> None:
        if body.get("name"):
            await self._faults.set(_text(body, "name"), "ok", self._region(body), None)
        else:
            await self._faults.clear()

    async def set_traffic(self, body: Mapping[str, Any]) -> None:
        gateway, region = self._sandbox.gateway, self._region(body)
        rate, lag = _number(body, "rate", 0, 10_000), _number(body, "lag", 0, _LONGEST_LAG_S)
        kind = body.get("split")
        if kind not in (None, "smooth", "random"):
            raise Refused("the split is smooth or random.", field="split")
        if body.get("lying") is not None:
            await self._faults.set("monitoring", "lying" if body["lying"] else "ok", region, None)
        if rate is not None:
            gateway.users.set_rate(rate, region)
        if lag is not None:
            gateway.lag = lag
        if kind is not None:
            gateway.traffic.split = split.of(kind, None)

    async def set_people(self, body: Mapping[str, Any]) -> None:
        approve = body.get("approve")
        if not isinstance(approve, bool):
            raise Refused("approve is true or false.", field="approve")
        self._sandbox.people.approving = approve

    async def set_behaviour(self, body: Mapping[str, Any]) -> None:
        key = (self._region(body) or "*", _text(body, "version"))
        changed = body.get("fields", {})
        if not isinstance(changed, dict) or (unknown := sorted(set(changed) - _BEHAVIOUR)):
            names = ", ".join(unknown) if isinstance(changed, dict) else "fields"
            raise Refused(f"there is no behaviour {names}.", field="fields", next_step=", ".join(sorted(_BEHAVIOUR)))
        if not changed:
            self._sandbox.world.overrides.pop(key, None)
            return
        _number(changed, "error_rate", 0, 1)
        _number(changed, "latency", 0, 3600)
        _number(changed, "ready_after", 0, 3600)
        self._sandbox.world.overrides[key] = {**self._sandbox.world.overrides.get(key, {}), **changed}

    def _region(self, body: Mapping[str, Any]) -> str | None:
        region, known = body.get("region"), list(self._sandbox.world.regions.values())
        if region is not None and region not in known:
            raise Refused(f"there is no region {region!r}.", field="region", next_step=f"known: {', '.join(known)}")
        return region


def _users(drawn: Mapping[str, Any]) -> dict[str, Any]:
    series = [[second["t"], second["requests"], second["errors"]] for second in drawn.get("series", [])]
    last = series[-_RATE_OVER_S:]
    rate = sum(second[1] for second in last) / len(last) if last else 0.0
    return {"series": series, "rate": rate, "error_rate": drawn.get("error_rate", 0.0)}


def _message(message: Message) -> dict[str, Any]:
    parts = [message.text, *(_attachment(one) for one in message.attachments)]
    told = {"at": float(message.ts), "channel": message.channel, "text": "\n".join(part for part in parts if part)}
    color = next((one.get("color") for one in message.attachments if one.get("color")), None)
    told |= {"ts": message.ts, "thread": message.thread, "edits": message.edits, "files": list(message.files)}
    return {**told, "username": message.username, "icon": message.icon, "color": color}


def _attachment(one: Mapping[str, Any]) -> str:
    found = [str(one.get(key) or "") for key in ("title", "text")]
    found += [f"{field.get('title')}: {field.get('value')}" for field in one.get("fields") or []]
    return "\n".join(part for part in found if part)


def _deployment(one: Deployment) -> dict[str, Any]:
    newest = one.statuses[-1] if one.statuses else one
    at = datetime.fromisoformat(newest.at).timestamp()
    told = {"environment": one.environment, "ref": one.ref, "state": one.state, "at": at}
    return {**told, "description": newest.description or ""}


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused("a text is needed.", field=name)
    return value


def _number(body: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = least - 1
    if not least <= number <= most:
        raise Refused(f"a number from {least:g} to {most:g} is needed.", field=name)
    return number
