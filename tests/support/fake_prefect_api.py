"""The part of the Prefect server's REST API that is used to ask for runs, at the transport."""

from __future__ import annotations

import json
from typing import Any

import httpx

from clients.prefect_api import PrefectApi

API = "http://prefect/api"


class FakePrefectApi:
    """`runs` holds every run by its idempotency key, in the order of their making. `down`: it does not answer;
    `instead` is what is answered in place of everything."""

    def __init__(self, *flows: str) -> None:
        self.deployments = {flow: f"deployment-{flow}" for flow in flows}
        self.runs: dict[str, dict[str, Any]] = {}
        self.automations: list[dict[str, Any]] = []
        self.down = False
        self.instead: httpx.Response | None = None
        self.refuse = ""
        self.asked = 0
        self.online = 1
        self.heard = "2026-01-01T00:00:00Z"
        self.transport = httpx.MockTransport(self.answer)

    def client(self) -> PrefectApi:
        return PrefectApi(API, transport=self.transport)

    def state(self, key: str) -> str:
        return str(self.runs[key]["state"]["type"])

    def become(self, key: str, kind: str) -> None:
        self.runs[key]["state"] = {"type": kind, "name": kind.capitalize()}

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.down:
            raise httpx.ConnectError("refused", request=request)
        if self.instead is not None:
            return self.instead
        path = request.url.path.removeprefix("/api")
        body = json.loads(request.content) if request.content else {}
        match path.strip("/").split("/"):
            case ["health"]:
                return httpx.Response(200, json=True)
            case ["deployments", "name", flow, _]:
                return self._deployment(flow)
            case ["deployments", deployment, "create_flow_run"]:
                return self._create(body | {"deployment_id": deployment})
            case ["automations", "filter"]:
                names = body["automations"]["name"]["any_"]
                return httpx.Response(200, json=[one for one in self.automations if one["name"] in names])
            case ["automations"]:
                self.automations.append(body | {"id": f"automation-{len(self.automations)}"})
                return httpx.Response(201, json=self.automations[-1])
            case ["automations", number]:
                (found,) = [one for one in self.automations if one["id"] == number]
                found |= body
                return httpx.Response(204)
            case ["flow_runs", "filter"]:
                return httpx.Response(200, json=self._found(body["flow_runs"]))
            case ["flow_runs", run]:
                found = next((one for one in self.runs.values() if one["id"] == run), None)
                return httpx.Response(200, json=found) if found else httpx.Response(404)
            case ["flow_runs", run, "set_state"]:
                return self._set_state(run, body["state"])
            case ["work_pools", _, "workers", "filter"]:
                lives = {"status": "ONLINE", "last_heartbeat_time": self.heard, "heartbeat_interval_seconds": 5}
                return httpx.Response(200, json=[lives] * self.online + [{**lives, "status": "OFFLINE"}])
        return httpx.Response(404, json={"detail": "Not Found"})

    def _found(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        if "id" in wanted:
            return [run for run in self.runs.values() if run["id"] in wanted["id"]["any_"]]
        kinds = wanted["state"]["type"]["any_"]
        return [run for run in self.runs.values() if run["state"]["type"] in kinds]

    def _deployment(self, flow: str) -> httpx.Response:
        if flow not in self.deployments:
            return httpx.Response(404, json={"detail": "Deployment not found"})
        return httpx.Response(200, json={"id": self.deployments[flow], "name": flow, "work_pool_name": "tidegate"})

    def _create(self, body: dict[str, Any]) -> httpx.Response:
        if self.refuse:
            return httpx.Response(409, json={"detail": self.refuse})
        key = body["idempotency_key"]
        made = {"id": f"run-{len(self.runs)}", "name": key, "parameters": body["parameters"], "tags": body["tags"]}
        made["deployment_id"] = body["deployment_id"]
        run = self.runs.setdefault(key, made | {"state": {"type": "SCHEDULED", "name": "Scheduled"}})
        return httpx.Response(201, json=run)

    def _set_state(self, run: str, state: dict[str, Any]) -> httpx.Response:
        found = next(one for one in self.runs.values() if one["id"] == run)
        found["state"] = state
        return httpx.Response(201, json={"status": "ACCEPT", "state": state})
