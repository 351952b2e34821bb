"""What a Prefect server knows of runs.

It reads; the one thing it changes is that a suspended run begins again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Unpack

from clients.prefect_server import PAGE, Given, PrefectServer
from release import runs as named

# So far back is a run looked for by the beginning of its id.
_MOST = 20_000
_WHOLE = 36


@dataclass(frozen=True, slots=True)
class Run:
    """A flow run. `state` is the state's name, `type` its type (RUNNING, COMPLETED, FAILED, PAUSED, ...).

    Times are ISO 8601 or empty; `seconds` is how long it ran, without the time it was suspended. `kept` is until when
    Prefect keeps a paused run before it fails it.
    """

    id: str
    name: str
    flow: str
    state: str
    type: str
    message: str
    began: str
    ended: str
    seconds: float
    parameters: Mapping[str, Any] = field(default_factory=dict)
    kept: str = ""

    @property
    def over(self) -> bool:
        return self.type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a run's log. `level` is the number of Python's logging."""

    at: str
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a run (Prefect's task run) that went well; `ended` is ISO 8601."""

    run: str
    name: str
    ended: str


class Runs(PrefectServer):
    """A Prefect server's runs."""

    def __init__(self, api: str, **given: Unpack[Given]) -> None:
        super().__init__(api, **given)
        self._flows: dict[str, str] = {}

    def page(self, run: str) -> str:
        """A run's page."""
        return f"{self.api.removesuffix('/api')}/runs/flow-run/{run}"

    async def version(self) -> str:
        """The server's version."""
        return str(await self._ask("GET", "admin/version"))

    async def ready(self) -> None:
        """Raises Unavailable unless the server reaches its database too."""
        await self._ask("GET", "ready")

    async def newest(
        self, flows: Sequence[str], limit: int, *, types: Sequence[str] = (), states: Sequence[str] = ()
    ) -> tuple[Run, ...]:
        """The newest runs that were started as such (not by another run) of flows by name, newest first; only those
        in states of these types or names, where any are given. What a schedule made ahead and is not due is left out.
        """
        runs: dict[str, Any] = {"parent_task_run_id": {"is_null_": True}}
        wanted = {"type": list(types), "name": list(states)}
        if any(wanted.values()):
            runs["state"] = {field: {"any_": values} for field, values in wanted.items() if values}
        body = {"flow_runs": runs, "flows": {"name": {"any_": list(flows)}}, "sort": "EXPECTED_START_TIME_DESC"}
        return await self._runs(body, limit)

    async def run(self, beginning: str) -> Run | None:
        """The run whose id begins so, None without one. Raises Refused where several do, and for less than four
        characters."""
        if len(beginning) == _WHOLE:
            answer = await self._ask("GET", f"flow_runs/{beginning}", none_at=(404, 422))
            return None if answer is None else (await self._read([answer]))[0]
        found = {one.id: one for one in await self.beginning(beginning)}
        chosen = named.only(beginning, {one.id: f"{one.flow} {one.name}, {one.state}" for one in found.values()})
        return None if chosen is None else found[chosen]

    async def beginning(self, beginning: str) -> tuple[Run, ...]:
        """The runs whose id begins so and that were started as such (not by another run), newest first."""
        named.require(beginning)
        body = {"flow_runs": {"parent_task_run_id": {"is_null_": True}}, "sort": "EXPECTED_START_TIME_DESC"}
        return await self._runs(body, _MOST, beginning)

    async def of(self, ids: Sequence[str]) -> Mapping[str, Run]:
        """Id -> run, of those that are still there."""
        if not ids:
            return {}
        body = {"flow_runs": {"id": {"any_": list(ids)}}, "sort": "EXPECTED_START_TIME_DESC"}
        return {one.id: one for one in await self._runs(body, len(ids))}

    async def wake(self, run: str, *, timer: bool = False) -> bool:
        """Let a run that is suspended begin again; whether it was suspended. The form it waits with is left unsent.

        One that has every vote and waits for its `timer` is woken only where that is asked for.
        """
        found = await self._ask("GET", f"flow_runs/{run}", none_at=(404, 422))
        state = (found or {}).get("state") or {}
        paused = state.get("type") == "PAUSED" and (state.get("state_details") or {}).get("pause_reschedule")
        if not paused and not (timer and state.get("type") == "SCHEDULED" and state.get("name") == named.TIMER):
            return False
        body = {"state": {"type": "SCHEDULED", "name": "Resuming"}, "force": True}
        await self._ask("POST", f"flow_runs/{run}/set_state", body)
        return True

    async def children(self, run: str) -> tuple[Run, ...]:
        """The runs that a run began itself, oldest first."""
        body = {"flow_runs": {"parent_flow_run_id": {"any_": [run]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return await self._runs(body, PAGE)

    async def artifacts(self, runs: Sequence[str]) -> Mapping[str, Any]:
        """Key -> the newest content of these runs' artifacts: a table's rows, plain data, or Markdown."""
        body = {"artifacts": {"flow_run_id": {"any_": list(runs)}}, "sort": "UPDATED_DESC", "limit": PAGE}
        found: dict[str, Any] = {}
        for one in await self._ask("POST", "artifacts/filter", body):
            data = one.get("data")
            coded = one.get("type") in ("table", "json") and isinstance(data, str)
            found.setdefault(str(one.get("key")), json.loads(data) if coded else data)
        return found

    async def told(self, runs: Sequence[str], key: str) -> Mapping[str, Any]:
        """Run -> the newest JSON that it left under that key; at most 200 are read."""
        chosen = {"flow_run_id": {"any_": list(runs)}, "key": {"any_": [key]}}
        body = {"artifacts": chosen, "sort": "UPDATED_DESC", "limit": PAGE}
        found: dict[str, Any] = {}
        for one in await self._ask("POST", "artifacts/filter", body) if runs else ():
            data = one.get("data")
            found.setdefault(str(one.get("flow_run_id")), json.loads(data) if isinstance(data, str) else data)
        return found

    async def log(self, runs: Sequence[str], after: str = "") -> tuple[Line, ...]:
        """The lines of these runs that came later than `after` (ISO 8601), oldest first."""
        wanted: dict[str, Any] = {"flow_run_id": {"any_": list(runs)}}
        if after:
            wanted["timestamp"] = {"after_": after}
        found = await self._pages("logs/filter", {"logs": wanted, "sort": "TIMESTAMP_ASC"})
        return tuple(Line(one["timestamp"], int(one["level"]), one["message"]) for one in found)

    async def steps(self, runs: Sequence[str], named: str) -> tuple[Step, ...]:
        """The steps of these runs that went well and whose name has `named` in it, newest first."""
        wanted = {"name": {"like_": named}, "state": {"type": {"any_": ["COMPLETED"]}}}
        body = {"task_runs": wanted, "flow_runs": {"id": {"any_": list(runs)}}, "sort": "END_TIME_DESC"}
        found = await self._pages("task_runs/filter", body) if runs else []
        return tuple(Step(str(one["flow_run_id"]), str(one["name"]), str(one["end_time"])) for one in found)

    async def _runs(self, body: Mapping[str, Any], limit: int, beginning: str = "") -> tuple[Run, ...]:
        """Up to `limit` of the runs asked for that are due; of those, the ones whose id begins so."""
        found: list[Any] = []
        read, now = 0, datetime.now(UTC)
        while len(found) < limit and read < _MOST:
            page = {**body, "limit": min(PAGE, limit), "offset": read}
            more = await self._ask("POST", "flow_runs/filter", page)
            found += [one for one in more if _due(one, now) and str(one["id"]).startswith(beginning)]
            read += len(more)
            if len(more) < page["limit"]:
                break
        return await self._read(found[:limit])

    async def _read(self, found: Sequence[Any]) -> tuple[Run, ...]:
        unknown = sorted({one["flow_id"] for one in found} - self._flows.keys())
        if unknown:
            answer = await self._ask("POST", "flows/filter", {"flows": {"id": {"any_": unknown}}, "limit": PAGE})
            self._flows |= {one["id"]: one["name"] for one in answer}
        return tuple(_run(one, self._flows.get(one["flow_id"], "")) for one in found)


def _due(one: Mapping[str, Any], now: datetime) -> bool:
    """Not so what a schedule made ahead, for a time that has not come."""
    kind = (one.get("state") or {}).get("type") or one.get("state_type")
    expected = one.get("expected_start_time")
    ahead = bool(one.get("auto_scheduled")) and kind == "SCHEDULED" and not one.get("run_count")
    return not (ahead and expected and datetime.fromisoformat(str(expected)) > now)


def _run(one: Mapping[str, Any], flow: str) -> Run:
    state = one.get("state") or {}
    return Run(
        id=str(one["id"]),
        name=str(one.get("name") or ""),
        flow=flow,
        state=str(state.get("name") or one.get("state_name") or ""),
        type=str(state.get("type") or one.get("state_type") or ""),
        message=str(state.get("message") or ""),
        began=str(one.get("start_time") or ""),
        ended=str(one.get("end_time") or ""),
        seconds=float(one.get("total_run_time") or 0.0),
        parameters=one.get("parameters") or {},
        kept=str((state.get("state_details") or {}).get("pause_timeout") or ""),
    )
