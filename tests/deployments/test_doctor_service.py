"""What `tidegate doctor` says of pipelines, workers and the OpenID provider."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from fake_prefect_api import FakePrefectApi

from clients.openid import Client, OpenId
from deployments import doctor, doctor_service

NOW = datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)
ISSUER = "https://id.test"


async def test_a_pipeline_that_is_not_registered_is_named() -> None:
    async with FakePrefectApi("staging").client() as prefect:
        found = await doctor_service.registered(prefect, ["staging", "production"])
        assert found.grade == "note" and "production" in found.detail and "deploy --all" in found.mend
        assert (await doctor_service.registered(prefect, ["staging"])).grade == "ok"


@pytest.mark.parametrize(("online", "grade"), [(1, "ok"), (0, "note")])
async def test_a_pool_without_a_worker_is_told(online: int, grade: str) -> None:
    fake = FakePrefectApi("staging")
    fake.online = online
    async with fake.client() as prefect:
        found = await doctor_service.served(prefect, ["staging"], NOW)
    assert found.grade == grade
    assert grade == "ok" or "prefect worker start" in found.mend


@pytest.mark.parametrize(
    ("issuer", "status", "grade"), [(ISSUER, 200, "ok"), ("https://other", 200, "wrong"), (ISSUER, 503, "silent")]
)
async def test_a_provider_that_lets_nobody_in_is_told(issuer: str, status: int, grade: str) -> None:
    said = {"issuer": issuer, "authorization_endpoint": f"{ISSUER}/authorize"}
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=said))
    provider = OpenId(Client(ISSUER, "tidegate", None, ""), transport=transport)
    found = await doctor_service.described(provider, ISSUER)
    await provider.close()
    assert found.grade == grade
    assert grade == "ok" or "login.openid.issuer" in found.mend


async def test_a_secret_of_the_webhook_that_is_not_there_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE__SERVICE__GITHUB_SECRET__ENV", "NOT_THERE_AT_ALL")
    found = await doctor.guarded("service", "webhook", doctor_service.webhook)
    assert (found.grade, "service.github_secret" in found.detail) == ("wrong", True)
