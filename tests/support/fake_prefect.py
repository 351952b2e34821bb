"""A Prefect server's records in memory, behind httpx' transport: what is filtered and paged, is so here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from release.finished import PIPELINES

FLOWS = {name: f"flow-{name}" for name in (*PIPELINES, "region", "regional", "recover", "retire")}


class FakePrefect:
    """`runs`, `artifacts`, `lines` and `steps` as the server answers them; `asked` the paths in their order; `up`
    whether it answers, `answers` how many times more."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.artifacts: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.up = True
        self.answers: int | None = None
        self.transport = httpx.MockTransport(self._answer)

    def ended(self, run: str, at: datetime, outcome: Mapping[str, Any] | None, **facts: Any) -> None:
        """A run that ended, with what it told."""
        one = {
            "id": run,
            "flow_id": FLOWS[str((outcome or {}).get("pipeline", "production"))],
            "run_count": 1,
            "state_name": str((outcome or {}).get("word", "crashed")).capitalize(),
            "state_type": "COMPLETED",
            "created": (at - timedelta(minutes=10)).isoformat(),
            "start_time": (at - timedelta(minutes=9)).isoformat(),
            "end_time": at.isoformat(),
            "parameters": {"actor": "ada"},
            "parent": None,
        }
        self.runs.append(one | facts)
        if outcome is not None:
            told = {"key": "outcome", "flow_run_id": run, "type": "json", "data": json.dumps(outcome)}
            self.artifacts.append(told)

    def begun(self, run: str, flow: str, at: datetime, parent: str | None = None, **facts: Any) -> None:
        """A run that goes on, of another where `parent` is one."""
        one = {"id": run, "flow_id": FLOWS[flow], "state_name": "Running", "state_type": "RUNNING", "parent": parent}
        one |= {"created": at.isoformat(), "start_time": at.isoformat(), "end_time": None, "parameters": {}}
        self.runs.append(one | facts)

    def step(self, run: str, name: str, at: datetime, state: str = "COMPLETED") -> None:
        """A step of a run that ended so."""
        self.steps.append({"flow_run_id": run, "name": name, "end_time": at.isoformat(), "state_type": state})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/")
        self.asked.append(path)
        if self.answers is not None:
            self.answers -= 1
        if not self.up or (self.answers is not None and self.answers < 0):
            return httpx.Response(503)
        if request.method == "GET":
            return self._got(path)
        body = json.loads(request.content)
        found = {
            "flows/filter": self._flows,
            "flow_runs/filter": self._runs,
            "task_runs/filter": self._stepped,
            "artifacts/filter": self._told,
            "logs/filter": lambda body: [
                one for one in self.lines if one["flow_run_id"] in body["logs"]["flow_run_id"]["any_"]
            ],
            "artifacts/latest/filter": lambda body: [one for one in self.artifacts if one["key"].startswith("live-")],
        }[path](body)
        start = body.get("offset", 0)
        return httpx.Response(200, json=found[start : start + body.get("limit", 200)])

    def _got(self, path: str) -> httpx.Response:
        if path == "ready":
            return httpx.Response(200, json=True)
        found = next((one for one in self.runs if path == f"flow_runs/{one['id']}"), None)
        return httpx.Response(404) if found is None else httpx.Response(200, json=found)

    def _flows(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        chosen = body["flows"]
        names, ids = chosen.get("name", {}).get("any_"), chosen.get("id", {}).get("any_")
        every = [{"id": flow, "name": name} for name, flow in FLOWS.items()]
        return [one for one in every if one["name"] in (names or ()) or one["id"] in (ids or ())]

    def _runs(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        own, names = body["flow_runs"], body.get("flows", {}).get("name", {}).get("any_")
        found = self.runs
        if names is not None:
            found = [one for one in found if one["flow_id"] in [FLOWS[name] for name in names if name in FLOWS]]
        if (parents := own.get("parent_flow_run_id")) is not None:
            return [one for one in found if one["parent"] in parents["any_"]]
        if (ids := own.get("id")) is not None:
            return [one for one in found if one["id"] in ids["any_"]]
        if (state := own.get("state", {}).get("name")) is not None:
            return [one for one in found if one["state_name"] in state["any_"]]
        if (types := own.get("state", {}).get("type")) is not None:
            found = [one for one in found if one["state_type"] in types["any_"]]
        after = own.get("end_time", {}).get("after_", "")
        ended = [one for one in found if one["parent"] is None and one["end_time"] and one["end_time"] >= after]
        return sorted(ended, key=lambda one: one["end_time"], reverse=True)

    def _told(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        keys, runs = (body["artifacts"][name]["any_"] for name in ("key", "flow_run_id"))
        return [one for one in reversed(self.artifacts) if one["key"] in keys and one["flow_run_id"] in runs]

    def _stepped(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        named, states = body["task_runs"]["name"]["like_"], body["task_runs"]["state"]["type"]["any_"]
        of = body["flow_runs"]["id"]["any_"]
        found = [one for one in self.steps if one["flow_run_id"] in of and one["state_type"] in states]
        return sorted((one for one in found if named in one["name"]), key=lambda one: one["end_time"], reverse=True)
