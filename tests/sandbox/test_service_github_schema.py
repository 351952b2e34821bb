"""Every answer of the simulated GitHub parses with githubkit's models, which are made from GitHub's schema."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from github_world import NAME, PERSON, SECRET, World, commit, git
from githubkit import GitHub as Kit
from githubkit import webhooks
from githubkit_schemas.latest import models

OWNER, REPO = NAME.split("/")


@pytest.fixture
async def kit(world: World) -> AsyncIterator[Kit[Any]]:
    async with Kit(PERSON, base_url=world.github.url, http_cache=False, auto_retry=False, trust_env=False) as kit:
        yield kit


async def test_deployments_and_statuses(world: World, kit: Kit[Any]) -> None:
    repos, sha = kit.rest.repos, world.sha("main")
    made = await repos.async_create_deployment(OWNER, REPO, ref="v1.0.0", required_contexts=[], payload={"run": "7"})
    number = made.parsed_data.id
    assert made.parsed_data.sha == sha
    text = await repos.async_create_deployment(OWNER, REPO, ref="main", payload="text", auto_merge=False)
    assert text.parsed_data.payload == "text"
    status = await repos.async_create_deployment_status(OWNER, REPO, number, state="in_progress")
    assert status.parsed_data.state == "in_progress"
    assert (await repos.async_get_deployment(OWNER, REPO, number)).parsed_data.ref == "v1.0.0"
    assert len((await repos.async_list_deployments(OWNER, REPO)).parsed_data) == 2
    assert len((await repos.async_list_deployment_statuses(OWNER, REPO, number)).parsed_data) == 1
    one = await repos.async_create_commit_status(OWNER, REPO, sha, state="success", context="tests")
    assert one.parsed_data.context == "tests"
    combined = (await repos.async_get_combined_status_for_ref(OWNER, REPO, "main")).parsed_data
    assert (combined.state, combined.total_count) == ("success", 1)
    assert len((await repos.async_list_commit_statuses_for_ref(OWNER, REPO, "main")).parsed_data) == 1


async def test_releases(world: World, kit: Kit[Any]) -> None:
    repos = kit.rest.repos
    made = await repos.async_create_release(OWNER, REPO, tag_name="v1.0.0", name="1.0.0", body="Notes")
    number = made.parsed_data.id
    assert made.parsed_data.author.login == "ada"
    assert (await repos.async_get_release_by_tag(OWNER, REPO, "v1.0.0")).parsed_data.body == "Notes"
    assert (await repos.async_get_latest_release(OWNER, REPO)).parsed_data.id == number
    assert (await repos.async_get_release(OWNER, REPO, number)).parsed_data.tag_name == "v1.0.0"
    changed = await repos.async_update_release(OWNER, REPO, number, body="More")
    assert changed.parsed_data.body == "More"
    assert len((await repos.async_list_releases(OWNER, REPO)).parsed_data) == 1
    assert (await repos.async_delete_release(OWNER, REPO, number)).status_code == 204


async def test_refs_tags_commits_branches_and_comparisons(world: World, kit: Kit[Any]) -> None:
    api, repos, sha = kit.rest.git, kit.rest.repos, world.sha("main")
    tag = (await api.async_create_tag(OWNER, REPO, tag="v1.0.1", message="m", object_=sha, type="commit")).parsed_data
    assert tag.object_.sha == sha
    made = (await api.async_create_ref(OWNER, REPO, ref="refs/tags/v1.0.1", sha=tag.sha)).parsed_data
    assert made.object_.type == "tag"
    assert (await api.async_get_ref(OWNER, REPO, "tags/v1.0.0")).parsed_data.ref == "refs/tags/v1.0.0"
    assert (await api.async_get_tag(OWNER, REPO, tag.sha)).parsed_data.tagger.name == "ada"
    assert len((await api.async_list_matching_refs(OWNER, REPO, "tags/v1")).parsed_data) == 2
    moved = await api.async_update_ref(OWNER, REPO, "heads/develop", sha=sha)
    assert moved.parsed_data.object_.sha == sha
    assert (await api.async_delete_ref(OWNER, REPO, "tags/v1.0.1")).status_code == 204
    assert [tag.name for tag in (await repos.async_list_tags(OWNER, REPO)).parsed_data] == ["v1.0.0"]
    assert (await repos.async_get_commit(OWNER, REPO, "hotfix/cart")).parsed_data.files[0].filename == "cart.txt"
    assert len((await repos.async_list_commits(OWNER, REPO)).parsed_data) == 2
    assert (await repos.async_get_branch(OWNER, REPO, "main")).parsed_data.commit.sha == sha
    assert len((await repos.async_list_branches(OWNER, REPO)).parsed_data) == 4
    compared = (await repos.async_compare_commits(OWNER, REPO, "main...hotfix/clash")).parsed_data
    assert (compared.status, compared.ahead_by, compared.behind_by) == ("diverged", 1, 1)
    assert compared.files[0].status == "modified"


async def test_merges_and_pull_requests(world: World, kit: Kit[Any]) -> None:
    repos, pulls = kit.rest.repos, kit.rest.pulls
    merged = await repos.async_merge(OWNER, REPO, base="develop", head="main", commit_message="Merge main")
    assert merged.parsed_data.commit.message == "Merge main"
    made = (await pulls.async_create(OWNER, REPO, title="Cart", head="hotfix/cart", base="main")).parsed_data
    assert (made.mergeable, made.changed_files, made.commits) == (True, 1, 1)
    clash = (await pulls.async_create(OWNER, REPO, title="Clash", head="hotfix/clash", base="main")).parsed_data
    assert (clash.mergeable, clash.mergeable_state) == (False, "dirty")
    assert len((await pulls.async_list(OWNER, REPO)).parsed_data) == 2
    git(world.bare, "update-ref", "refs/forks/mallory/patch", world.sha("hotfix/cart"))
    fork = (await pulls.async_create(OWNER, REPO, title="Cart", head="mallory:patch", base="develop")).parsed_data
    assert (fork.head.label, fork.head.repo.full_name, fork.head.repo.fork) == ("mallory:patch", "mallory/shop", True)
    done = (await pulls.async_merge(OWNER, REPO, made.number)).parsed_data
    assert done.merged
    assert done.sha == world.sha("main")
    assert (await pulls.async_get(OWNER, REPO, made.number)).parsed_data.merged
    closed = await pulls.async_update(OWNER, REPO, clash.number, state="closed")
    assert closed.parsed_data.state == "closed"


async def test_the_repository_and_the_caller(world: World, kit: Kit[Any]) -> None:
    whole = (await kit.rest.repos.async_get(OWNER, REPO)).parsed_data
    assert (whole.default_branch, whole.clone_url) == ("main", "http://127.0.0.1/shop.git")
    assert (await kit.rest.users.async_get_authenticated()).parsed_data.login == "ada"


async def test_the_webhook_and_its_deliveries(world: World, kit: Kit[Any]) -> None:
    repos = kit.rest.repos
    world.receiver.status = 503
    for branch in ("one", "two"):
        git(world.work, "push", "-q", "origin", f"HEAD:refs/heads/feature/{branch}")
        await world.github.refs_changed("ada")
        await world.github.settled()
    (hook,) = (await repos.async_list_webhooks(OWNER, REPO)).parsed_data
    assert hook.config.url == world.receiver_url
    answer = await repos.async_list_webhook_deliveries(OWNER, REPO, hook.id, per_page=1)
    (newest,) = answer.parsed_data
    assert (newest.event, newest.status_code, newest.redelivery) == ("push", 503, False)
    again = httpx.URL(answer.headers["Link"].split(">")[0][1:]).params["cursor"]
    (oldest,) = (await repos.async_list_webhook_deliveries(OWNER, REPO, hook.id, per_page=1, cursor=again)).parsed_data
    shown = (await repos.async_get_webhook_delivery(OWNER, REPO, hook.id, oldest.id)).parsed_data
    assert shown.request.payload is not None
    assert shown.request.payload.model_dump()["ref"] == "refs/heads/feature/one"
    world.receiver.status = 202
    assert (await repos.async_redeliver_webhook_delivery(OWNER, REPO, hook.id, oldest.id)).status_code == 202
    await world.github.settled()
    for status, ids in (("success", [oldest.guid]), ("failure", [newest.guid, oldest.guid])):
        listed = await repos.async_list_webhook_deliveries(OWNER, REPO, hook.id, status=status)
        assert [one.guid for one in listed.parsed_data] == ids


async def test_webhooks_are_valid_and_signed(world: World, kit: Kit[Any]) -> None:
    commit(world.work, "new.txt", "new\n", "feat: new")
    git(world.work, "push", "-q", "origin", "main", "HEAD:refs/heads/feature/new", ":refs/heads/develop")
    await world.github.refs_changed("ada")
    await kit.rest.pulls.async_create(OWNER, REPO, title="Cart", head="hotfix/cart", base="main")
    git(world.work, "checkout", "-q", "hotfix/cart")
    commit(world.work, "cart.txt", "full\n", "fix: cart again")
    git(world.work, "push", "-q", "origin", "hotfix/cart")
    await world.github.refs_changed("ada")
    await kit.rest.pulls.async_merge(OWNER, REPO, 1)
    await kit.rest.repos.async_create_release(OWNER, REPO, tag_name="v1.1.0", body="Notes")
    await world.github.settled()
    kinds = []
    for headers, body in world.receiver.got:
        assert verify_signature(body, headers["X-Hub-Signature-256"])
        kind, data = headers["X-GitHub-Event"], json.loads(body)
        # githubkit's own parser builds the models of every action first, which takes seconds.
        name = "Webhook" + (kind + "_" + data.get("action", "")).title().replace("_", "")
        getattr(models, name).model_validate(data)
        kinds.append((kind, data.get("action") or data["ref"]))
    assert sorted(kinds) == sorted(
        [
            ("push", "refs/heads/develop"),
            ("push", "refs/heads/feature/new"),
            ("push", "refs/heads/main"),
            ("pull_request", "opened"),
            ("push", "refs/heads/hotfix/cart"),
            ("pull_request", "synchronize"),
            ("pull_request", "closed"),
            ("push", "refs/heads/main"),
            ("push", "refs/tags/v1.1.0"),
            ("release", "created"),
            ("release", "published"),
            ("release", "released"),
        ]
    )


def verify_signature(body: bytes, signature: str) -> bool:
    return webhooks.verify(SECRET, body, signature)
