"""A GitHub App's own webhook, of which GitHub tells the App alone."""

from __future__ import annotations

import pytest
from app_hub import AppHub

from clients.github_hooks import Hooks
from clients.github_limit import Limit
from release.errors import Refused, Unavailable

PATH = "/webhooks/github"
ELSEWHERE = "https://tidegate.example/elsewhere"


def hooks(hub: AppHub) -> Hooks:
    url = "https://api.github.example"
    return Hooks(url, hub.app, "acme/shop", patience=0, limit=Limit(), transport=hub.transport)


async def test_its_own_webhook_is_asked_by_the_app_itself() -> None:
    hub = AppHub({"ref": "refs/heads/main"})
    async with hooks(hub) as client:
        hook = await client.find(PATH)
        (one,) = await client.failed(hook, 0)
        assert await client.payload(hook, one.id) == ("push", {"ref": "refs/heads/main"})
        await client.redeliver(hook, one.id)
    assert (one.delivery, one.status, hub.made_again) == ("g-5", 502, [5])
    assert {one.partition(" ")[2].split("/")[1:3] == ["app", "hook"] for one in hub.asked} == {True}


@pytest.mark.parametrize("url", [None, "", ELSEWHERE])
async def test_where_it_leads_elsewhere_the_repositorys_is_asked(url: str | None) -> None:
    async with hooks(AppHub({}, url)) as client:
        assert await client.find(PATH) == 7


async def test_where_neither_leads_here_both_places_are_named() -> None:
    async with hooks(AppHub({})) as client:
        with pytest.raises(Refused, match=r"no webhook of acme/shop, nor the App, has .* ends in /other") as refused:
            await client.find("/other")
    assert refused.value.next_step == "Add it at GitHub: Settings, Webhooks; or at the App, General."


@pytest.mark.parametrize(("status", "field"), [(401, "github.app.private_key"), (403, "github.app")])
async def test_a_refusal_names_the_apps_settings(status: int, field: str) -> None:
    async with hooks(AppHub({}, status=status)) as client:
        with pytest.raises(Refused) as refused:
            await client.find(PATH)
    assert refused.value.field == field
    assert "PRIVATE KEY" not in str(refused.value)


async def test_a_delivery_that_github_no_longer_has_says_nothing_of_the_installation() -> None:
    async with hooks(AppHub({})) as client:
        with pytest.raises(Refused, match="could not make the delivery 6 of the webhook again"):
            await client.redeliver(await client.find(PATH), 6)


@pytest.mark.parametrize("status", [429, 502])
async def test_a_limit_or_an_outage_is_waited_out_by_the_caller(status: int) -> None:
    async with hooks(AppHub({}, status=status)) as client:
        with pytest.raises(Unavailable, match="look up the App's webhook"):
            await client.find(PATH)
