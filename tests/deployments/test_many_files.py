"""The files for several machines: what they name is there, and what Prefect reads of them it accepts."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from fake_prefect_api import FakePrefectApi
from prefect.events.schemas.automations import AutomationCore
from prefect.settings.legacy import _get_settings_fields
from prefect.settings.models.root import Settings

from config import load
from deployments import automations
from deployments.service.app import Health, application
from deployments.service.limits import Buckets

MANY = load.CHECKOUT / "deployments" / "many"
COMPOSE: dict[str, Any] = yaml.safe_load((MANY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_the_servers_variables_are_settings_of_prefect() -> None:
    lines = (MANY / "server.env").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert names <= _get_settings_fields(Settings).keys()
    assert "PREFECT_MESSAGING_BROKER" in names


def test_prefect_accepts_the_automation_and_knows_every_sign_of_life() -> None:
    silent, _ = yaml.safe_load((MANY / "automations.yaml").read_text())["automations"]
    found = AutomationCore.model_validate(silent)
    assert found.trigger.expect == {"prefect.flow-run.*"}, "a state that is not expected would be told as a crash"


def test_only_pipelines_are_begun_again_by_the_server() -> None:
    _, again = yaml.safe_load((MANY / "automations.yaml").read_text())["automations"]
    found = AutomationCore.model_validate(again)
    again = ["staging", "production", "hotfix", "rollback", "guard"]
    assert found.trigger.match_related["prefect.resource.name"] == again
    known = yaml.safe_load((load.CHECKOUT / "prefect.yaml").read_text())["deployments"]
    assert set(again) <= {one["name"] for one in known}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_waits_for_services_that_are_there(name: str) -> None:
    assert set(SERVICES[name].get("depends_on", {})) <= set(SERVICES)


def test_there_are_several_servers_and_workers_and_one_scheduler() -> None:
    assert SERVICES["api"]["deploy"]["replicas"] == 2
    assert "--no-services" in SERVICES["api"]["command"]
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    assert "deploy" not in SERVICES["services"]


def test_nothing_listens_beyond_the_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


async def test_what_is_registered_at_every_start_is_there_once() -> None:
    assert "python -m deployments.automations" in SERVICES["register"]["command"][-1]
    assert "automation create" not in SERVICES["register"]["command"][-1]
    server = FakePrefectApi()
    for _ in range(2):
        async with server.client() as prefect:
            await automations.hold(prefect)
    names = [one["name"] for one in server.automations]
    assert names == ["a run whose machine is gone", "a crashed run goes on"]


@pytest.mark.parametrize("name", ["server", "worker"])
def test_no_secret_is_in_the_charts_values(name: str) -> None:
    text = (MANY / "helm" / f"{name}.yaml").read_text()
    values = yaml.safe_load(text)
    assert "password" not in text.lower().replace("admin:password", "")
    assert isinstance(values, dict)


async def _nothing_waits() -> dict[str, int]:
    return {}


async def _answers() -> bool:
    return True


def test_who_builds_has_an_engine() -> None:
    worker = SERVICES["worker"]
    assert "/var/run/docker.sock:/var/run/docker.sock" in worker["volumes"]
    assert set(SERVICES["service"]["volumes"]) < set(worker["volumes"]), "the service has no business with it"


def test_the_webhooks_secret_is_the_services_alone() -> None:
    known = {name for name, service in SERVICES.items() if "SECRET" in str(service.get("environment"))}
    assert known == {"service"}
    worker = yaml.safe_load((MANY / "helm" / "worker.yaml").read_text())
    assert "tidegate-serve-secrets" not in str(worker)


def test_the_service_on_kubernetes_is_asked_where_it_answers_and_holds_no_secret() -> None:
    found = {one["kind"]: one for one in yaml.safe_load_all((MANY / "serve.yaml").read_text())}
    pod = found["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    served = application([], Health(_nothing_waits, _answers), Buckets(1, 1)).openapi()["paths"]
    assert {container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")} <= set(served)
    assert container["args"] == ["tidegate", "serve"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert not [one for one in container["env"] if "SECRET" in one["name"] or "PASSWORD" in one["name"]]
    assert found["Service"]["spec"]["selector"] == found["Deployment"]["spec"]["selector"]["matchLabels"]
