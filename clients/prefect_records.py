"""Runs as a Prefect server keeps them, read page by page over its API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Unpack

from clients.prefect_server import PAGE, Given, PrefectServer
from release.finished import Run

_ENDED = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]


class Records(PrefectServer):
    """A Prefect server's records, `page` runs at a time, 200 at most."""

    def __init__(self, api: str, *, page: int = PAGE, **given: Unpack[Given]) -> None:
        super().__init__(api, **given)
        self._page = page

    async def ended(self, pipelines: Collection[str], since: datetime | None) -> AsyncIterator[tuple[Run, ...]]:
        """Pages of the pipelines' runs that ended at `since` or later, newest first.

        Runs that end meanwhile push others to later pages: one may come twice, none is left out.
        """
        own: dict[str, Any] = {"parent_task_run_id": {"is_null_": True}, "state": {"type": {"any_": _ENDED}}}
        if since is not None:
            own["end_time"] = {"after_": since.isoformat()}
        flows = {"name": {"any_": sorted(pipelines)}}
        names = await self._flows(flows)
        offset = 0
        while names:
            body = {"flow_runs": own, "flows": flows, "sort": "END_TIME_DESC", "limit": self._page, "offset": offset}
            found = await self._ask("POST", "flow_runs/filter", body)
            if found:
                yield tuple(_run(one, names) for one in found)
            if len(found) < self._page:
                return
            offset += len(found)

    async def outcomes(self, runs: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Run -> what it told at its end; a run that told nothing is left out."""
        return {one["flow_run_id"]: data for one, data in await self._json("outcome", runs)}

    async def regions_of(self, run: str) -> tuple[Run, ...]:
        """The runs of a run's regions, ended or not."""
        body = {"flow_runs": {"parent_flow_run_id": {"any_": [run]}}, "limit": PAGE}
        found = await self._ask("POST", "flow_runs/filter", body)
        names = await self._flows({"id": {"any_": sorted({one["flow_id"] for one in found})}}) if found else {}
        return tuple(_run(one, names) for one in found)

    async def courses(self) -> tuple[Mapping[str, Any], ...]:
        """The newest verdict of every region that ever had one."""
        body = {"artifacts": {"key": {"like_": "live-%"}}, "limit": PAGE}
        found = await self._ask("POST", "artifacts/latest/filter", body)
        return tuple(data for one in found if isinstance(data := _data(one), dict))

    async def run(self, run: str) -> Run | None:
        """A run, ended or not; None where there is none of that id."""
        found = await self._ask("POST", "flow_runs/filter", {"flow_runs": {"id": {"any_": [run]}}, "limit": 1})
        if not found:
            return None
        return _run(found[0], await self._flows({"id": {"any_": [found[0]["flow_id"]]}}))

    async def waiting(self, state: str) -> tuple[tuple[Run, datetime], ...]:
        """The runs in a state of that name, and since when."""
        found = await self._ask(
            "POST", "flow_runs/filter", {"flow_runs": {"state": {"name": {"any_": [state]}}}, "limit": PAGE}
        )
        names = await self._flows({"id": {"any_": sorted({one["flow_id"] for one in found})}}) if found else {}
        return tuple((_run(one, names), _moment(one["state"]["timestamp"])) for one in found)

    async def _json(self, key: str, runs: Sequence[str]) -> list[tuple[dict[str, Any], Mapping[str, Any]]]:
        body = {
            "artifacts": {"key": {"any_": [key]}, "flow_run_id": {"any_": list(runs)}},
            "sort": "CREATED_DESC",
            "limit": PAGE,
        }
        found = await self._ask("POST", "artifacts/filter", body) if runs else []
        # The newest of a run counts: put it last.
        return [(one, data) for one in reversed(found) if isinstance(data := _data(one), dict)]

    async def _flows(self, chosen: Mapping[str, Any]) -> dict[str, str]:
        found = await self._ask("POST", "flows/filter", {"flows": chosen, "limit": PAGE})
        return {one["id"]: one["name"] for one in found}


def _run(one: Mapping[str, Any], names: Mapping[str, str]) -> Run:
    created = _moment(one["created"])
    return Run(
        id=one["id"],
        attempt=max(1, int(one.get("run_count") or 1)),
        pipeline=names.get(one["flow_id"], ""),
        state=str(one.get("state_name") or ""),
        asked=created,
        began=_moment(one["start_time"]) if one.get("start_time") else None,
        ended=_moment(one["end_time"]) if one.get("end_time") else created,
        parameters=one.get("parameters") or {},
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _data(artifact: Mapping[str, Any]) -> Any:
    """A JSON artifact's content: the server keeps it as text."""
    data = artifact.get("data")
    try:
        return json.loads(data) if isinstance(data, str) else data
    except ValueError:
        return None
