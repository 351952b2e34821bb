"""Runs of deployments, over the Prefect server's REST API: found, created once, read, cancelled; and secrets.

A program that only asks for runs need not import Prefect, which takes a second and 80 MB.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, Unpack
from urllib.parse import quote

import httpx

from clients.prefect_server import Given, connection
from release.errors import Refused, Unavailable

FIELD = "prefect.api"
# A worker tells how often it is to be heard; it may be late twice.
_HEARTBEAT_S, _MISSED = 30.0, 3
# Told apart from what says nothing about the request itself, such as 401.
_NOT_ACCEPTED = frozenset({400, 409, 413, 422})
_FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


class NotAccepted(Refused):
    """The server understood what it was asked for, and does not accept that: asking again changes nothing."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A pipeline that is registered: `pool` is the work pool whose workers run it, "" where it has none."""

    id: str
    name: str
    pool: str


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A run as the server shows it. `kind` is Prefect's state type (SCHEDULED, RUNNING, ...), `state` its name;
    `begun` whether its flow ever ran, `deployment` the id of the deployment that it is of, "" without one."""

    id: str
    name: str
    kind: str
    state: str
    message: str = ""
    begun: bool = False
    deployment: str = ""

    @property
    def ended(self) -> bool:
        return self.kind in _FINAL

    @property
    def queued(self) -> bool:
        """Whether it has not begun. One that is scheduled again, for a timer of its gates, has."""
        return self.kind == "SCHEDULED" and not self.begun


class PrefectApi:
    """The Prefect server whose API is at `api` (`http://.../api`); `headers` hold a key where it wants one.

    Use it with `async with`. Every call raises Unavailable where the server does not answer, or what answers is no
    Prefect server, and Refused where it does not let us in.
    """

    def __init__(self, api: str, **given: Unpack[Given]) -> None:
        self._api = api.rstrip("/")
        self._http = connection(api, **given)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.aclose()

    async def healthy(self) -> bool:
        """Whether the server answers."""
        try:
            return (await self._http.get(f"{self._api}/health")).is_success
        except httpx.HTTPError:
            return False

    async def deployment(self, flow: str, name: str | None = None) -> Deployment | None:
        """The deployment `flow/name` (its flow's name where none is given); None where it is not registered."""
        found = await self._ask("GET", f"/deployments/name/{flow}/{name or flow}", missing=None)
        if found is None:
            return None
        return Deployment(str(found["id"]), str(found["name"]), str(found.get("work_pool_name") or ""))

    async def workers(self, pool: str, now: datetime) -> int:
        """How many workers of that pool were heard of lately; 0 for a pool that is not there."""
        found = await self._ask("POST", f"/work_pools/{pool}/workers/filter", {}, missing=[])
        return sum(_lives(worker, now) for worker in found)

    async def forget_worker(self, pool: str, name: str) -> None:
        """A worker that ended in order is not waited for."""
        await self._ask("DELETE", f"/work_pools/{pool}/workers/{name}", missing=None)

    async def create(
        self,
        deployment: Deployment,
        parameters: Mapping[str, Any],
        *,
        key: str,
        tags: Sequence[str] = (),
        checked: bool = True,
    ) -> FlowRun:
        """The run of that `key`: made now, or the one that was made for it before.

        Raises NotAccepted where the deployment does not accept the parameters (unless they are not to be `checked`:
        then the run itself refuses them), and Refused where it is gone.
        """
        body: dict[str, Any] = {"parameters": dict(parameters), "idempotency_key": key, "tags": list(tags)}
        if not checked:
            body["enforce_parameter_schema"] = False
        return _run(await self._ask("POST", f"/deployments/{deployment.id}/create_flow_run", body))

    async def read(self, ids: Sequence[str]) -> list[FlowRun]:
        """Those of the runs that are still there, newest first."""
        if not ids:
            return []
        body = {"flow_runs": {"id": {"any_": list(ids)}}, "sort": "EXPECTED_START_TIME_DESC"}
        return [_run(one) for one in await self._ask("POST", "/flow_runs/filter", body)]

    async def cancel(self, run: FlowRun, reason: str) -> bool:
        """Cancel a run: at once where it is queued or waits, else its worker ends it. Whether the server agreed."""
        kind = "CANCELLED" if run.kind in ("SCHEDULED", "PAUSED") else "CANCELLING"
        state = {"type": kind, "name": kind.capitalize(), "message": reason}
        answer = await self._ask("POST", f"/flow_runs/{run.id}/set_state", {"state": state, "force": False})
        return bool(answer.get("status") == "ACCEPT")

    async def unfinished(self) -> list[FlowRun]:
        """Runs of deployments that had begun, or were about to, oldest first."""
        kinds = {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}
        body = {"flow_runs": {"state": kinds, "deployment_id": {"is_null_": False}}, "sort": "START_TIME_ASC"}
        return [_run(one) for one in await self._ask("POST", "/flow_runs/filter", body)]

    async def put(self, run: FlowRun, kind: str, message: str, name: str = "") -> None:
        """Say what became of a run whose process is gone: `kind` is a state type (SCHEDULED, CRASHED, ...)."""
        state = {"type": kind, "name": name or kind.capitalize(), "message": message}
        await self._ask("POST", f"/flow_runs/{run.id}/set_state", {"state": state, "force": True})

    async def secret(self, name: str) -> str | None:
        """The value of the Secret block of that name; None where there is none."""
        path = f"/block_types/slug/secret/block_documents/name/{quote(name, safe='')}?include_secrets=true"
        found = await self._ask("GET", path, missing=None)
        return None if found is None else _value(found["data"]["value"])

    async def automate(self, automation: Mapping[str, Any]) -> None:
        """Have the server hold this automation under its name; one that a person switched off stays off."""
        wanted = {"automations": {"name": {"any_": [automation["name"]]}}}
        found = await self._ask("POST", "/automations/filter", wanted)
        if not found:
            await self._ask("POST", "/automations/", automation)
        for one in found:
            await self._ask("PUT", f"/automations/{one['id']}", {**automation, "enabled": one["enabled"]})

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, **default: Any) -> Any:
        """The answer's JSON; `missing=` is what a 404 gives instead of being refused."""
        try:
            answer = await self._http.request(method, f"{self._api}{path}", json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _away(type(error).__name__) from None
        if answer.status_code == httpx.codes.NOT_FOUND and "missing" in default:
            return default["missing"]
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise _away(f"it answered {answer.status_code}")
        if answer.is_error:
            raise _refused(answer)
        return _content(answer)


def _lives(worker: Mapping[str, Any], now: datetime) -> bool:
    heard = datetime.fromisoformat(str(worker.get("last_heartbeat_time") or "1970-01-01T00:00:00+00:00"))
    interval = float(worker.get("heartbeat_interval_seconds") or _HEARTBEAT_S)
    return bool(worker.get("status") == "ONLINE" and (now - heard).total_seconds() < _MISSED * interval)


def _run(found: Mapping[str, Any]) -> FlowRun:
    state = found.get("state") or {}
    return FlowRun(
        id=str(found["id"]),
        name=str(found["name"]),
        kind=str(state.get("type") or ""),
        state=str(state.get("name") or ""),
        message=str(state.get("message") or ""),
        begun=bool(found.get("run_count")),
        deployment=str(found.get("deployment_id") or ""),
    )


def _value(found: Any) -> str:
    """A secret's text: Prefect's page keeps it as it was typed, or as JSON."""
    if not isinstance(found, str):
        return json.dumps(found)
    with suppress(ValueError):
        if isinstance(inner := json.loads(found), str):
            return inner
    return found


def _away(why: str) -> Unavailable:
    return Unavailable(f"the Prefect server did not answer ({why}).", field=FIELD, next_step="See whether it runs.")


def _refused(answer: httpx.Response) -> Refused:
    code, step = (
        answer.status_code,
        "Mend what it names; `prefect --no-prompt deploy --all` registers the deployments anew.",
    )
    if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        step = "Set PREFECT_API_KEY or PREFECT_API_AUTH_STRING to what the server asks for, and start this again."
    kind = NotAccepted if code in _NOT_ACCEPTED else Refused
    return kind(f"the Prefect server answered {code}: {_detail(answer)}", field=FIELD, next_step=step)


def _content(answer: httpx.Response) -> Any:
    """Its JSON. Raises Unavailable for what only a proxy's page, or another program, answers."""
    if not answer.is_success:
        raise _away(f"it answered {answer.status_code}")
    try:
        return answer.json() if answer.content else None
    except ValueError:
        raise _away("what answers is no Prefect server") from None


def _detail(answer: httpx.Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        return answer.reason_phrase
    detail = found.get("detail") or found.get("exception_message") if isinstance(found, dict) else None
    return str(detail or answer.reason_phrase)[:500]
