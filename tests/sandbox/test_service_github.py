"""GitHub's client against the simulated GitHub over a real repository."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from github_world import NAME, PERSON, TOKEN, World, commit, git, new_world

from clients.github import GitHub as Client
from release.branches import Pull
from release.errors import Refused, Unavailable


async def test_a_deployment_goes_through_its_states(world: World) -> None:
    async with world.client() as github:
        first = await github.create_deployment("v1.0.0", "staging", "1.0.0", production=False, payload={"run": "7"})
        for state, page in (("in_progress", ""), ("success", "http://shop.example")):
            await github.deployment_status(
                first, state, description="x" * 200, environment_url=page, log_url="http://runs.example/7"
            )
        second = await github.create_deployment("main", "staging", "1.1.0", production=False, payload={})
        await github.deployment_status(second, "success", description="", environment_url="", log_url="")
        newest, oldest = await github.deployments("staging")
        states = [await github.deployment_state(number) for number in (first, second)]
    assert (newest.id, oldest.id, oldest.payload) == (second, first, {"run": "7"})
    assert states == ["inactive", "success"]
    kept = world.github.state.deployments[0].statuses[1]
    assert (len(kept.description), kept.environment_url, kept.log_url) == (
        140,
        "http://shop.example",
        "http://runs.example/7",
    )


async def test_failed_checks_and_an_old_branch_hold_up_no_deployment(world: World) -> None:
    """GitHub's own defaults would merge main into develop, and refuse a commit with a failed status."""
    before, defaults = world.sha("develop"), {"ref": "main", "auto_merge": False}
    async with world.client() as github:
        for sha in (before, world.sha("main")):
            await github.commit_status(sha, "failure", context="ci", description="red", target_url="")
        await github.create_deployment("develop", "development", "", production=False, payload={})
        assert await github.commit_states("develop") == {"ci": "failure"}
    assert world.sha("develop") == before
    async with httpx.AsyncClient(base_url=world.github.url, headers={"Authorization": f"token {TOKEN}"}) as http:
        path = f"/repos/{NAME}/deployments"
        assert (await http.post(path, json=defaults)).status_code == 409
        merged = await http.post(path, json={"ref": "develop"})
    assert (merged.status_code, world.sha("develop") != before) == (202, True)


async def test_a_release_is_found_by_its_tag_or_not_at_all(world: World) -> None:
    async with world.client() as github:
        assert await github.release("v1.0.0") is None
        made = await github.create_release("v1.0.0", "1.0.0", "strategy: canary")
        assert await github.create_release("v1.0.0", "again", "ignored") == made
        assert await github.release("v1.0.0") == made
    assert (made.tag, made.body, made.draft, made.prerelease) == ("v1.0.0", "strategy: canary", False, False)


async def test_a_tag_is_made_once_and_never_moved(world: World) -> None:
    main, other = world.sha("main"), world.sha("hotfix/cart")
    async with world.client() as github:
        for _ in range(2):
            await github.create_tag("v1.0.1", other, "Hotfix 1.0.1")
        with pytest.raises(Refused, match=r"tag: The tag v1\.0\.1 is there already"):
            await github.create_tag("v1.0.1", main, "Hotfix 1.0.1")
        assert await github.commit_of("v1.0.1") == other
        assert await github.commit_of("nowhere") is None
    assert git(world.bare, "cat-file", "-t", "v1.0.1") == "tag"
    assert git(world.bare, "tag", "-l", "--format=%(contents:subject) %(taggername)", "v1.0.1") == (
        "Hotfix 1.0.1 tidegate[bot]"
    )


async def test_merges_end_in_a_commit_or_say_why_not(world: World) -> None:
    async with world.client() as github:
        merged = await github.merge("main", "hotfix/cart", "Merge hotfix 1.0.1")
        again = await github.merge("main", "hotfix/cart", "Merge hotfix 1.0.1")
        clash = await github.merge("main", "hotfix/clash", "Merge")
        world.github.state.protected.add("develop")
        protected = await github.merge("develop", "main", "Merge main")
        with pytest.raises(Refused, match="could not merge main into nowhere"):
            await github.merge("nowhere", "main", "Merge")
    assert (merged.outcome, merged.commit) == ("merged", world.sha("main"))
    assert git(world.bare, "log", "-1", "--format=%s %an", "main") == "Merge hotfix 1.0.1 tidegate[bot]"
    assert len(git(world.bare, "log", "-1", "--format=%P", "main").split()) == 2
    assert (again.outcome, clash.outcome, protected.outcome) == ("unchanged", "conflict", "protected")
    assert "pull request" in protected.reason


async def test_a_pull_request_is_opened_once(world: World) -> None:
    async with world.client() as github:
        made = await github.create_pull_request("hotfix/clash", "main", "Merge hotfix", "By hand, please.")
        assert await github.create_pull_request("hotfix/clash", "main", "Merge hotfix", "Again.") == made
        with pytest.raises(Refused, match="No commits between main and develop"):
            await github.create_pull_request("develop", "main", "Nothing", "")
    assert [pull.author for pull in world.github.state.pulls] == ["tidegate[bot]"]


async def test_a_comparison_counts_both_ways(world: World) -> None:
    async with world.client() as github:
        found = await github.compare("hotfix/clash", "main")
        assert (found.status, found.ahead, found.behind) == ("diverged", 1, 1)
        assert found.merge_base == world.sha("develop")
        assert (await github.compare("main", "v1.0.0")).status == "identical"
        with pytest.raises(Refused):
            await github.compare("main", "nowhere")


async def test_a_pull_request_tells_whose_branch_it_is(world: World) -> None:
    cart = world.sha("hotfix/cart")
    git(world.bare, "update-ref", "refs/forks/mallory/patch", cart)
    async with world.client() as github:
        own = await github.create_pull_request("hotfix/cart", "develop", "Cart", "")
        fork = await github.create_pull_request("mallory:patch", "develop", "Cart", "")
        assert await github.pull_request(own.number) == Pull(own.number, True, "hotfix/cart", cart, NAME, "develop")
        assert await github.pull_request(fork.number) == Pull(
            fork.number, True, "patch", cart, "mallory/shop", "develop"
        )
        assert await github.pull_request(99) is None


async def test_a_pull_request_that_reached_its_base_by_git_is_merged(world: World) -> None:
    async with world.client(PERSON) as github:
        await github.create_pull_request("hotfix/cart", "main", "Cart", "")
    git(world.work, "merge", "-q", "--no-ff", "-m", "Merge cart", "hotfix/cart")
    git(world.work, "push", "-q", "origin", "main")
    await world.github.refs_changed("ada")
    (pull,) = world.github.state.pulls
    assert (pull.state, pull.merged_by) == ("closed", "ada")


async def test_a_wrong_token_and_a_wrong_repository_are_refused_by_setting(world: World) -> None:
    async with world.client("ghs-wrong") as github:
        with pytest.raises(Refused, match="Bad credentials") as refused:
            await github.release("v1.0.0")
    assert refused.value.field == "github.token"
    assert "ghs-wrong" not in str(refused.value)
    async with world.client(name="acme/other") as github:
        with pytest.raises(Refused) as refused:
            await github.create_deployment("main", "staging", "", production=False, payload={})
    assert refused.value.field == "application.github"


async def test_an_unknown_ref_is_refused_in_githubs_words(world: World) -> None:
    async with world.client() as github:
        with pytest.raises(Refused, match="No ref found for: nowhere"):
            await github.create_deployment("nowhere", "staging", "", production=False, payload={})
        for odd in ("main~1", "main..develop", "-x", "main^{tree}", "a#b?c", "../../user"):
            assert await github.commit_of(odd) is None


async def test_the_rate_limit_is_unavailable_with_its_end(tmp_path: Path) -> None:
    async with new_world(tmp_path, limit=1) as world, world.client() as github:
        await github.release("v1.0.0")
        with pytest.raises(Unavailable, match=r"rate limit is reached\. Next: Try again in \d+ s") as limited:
            await github.release("v1.0.0")
        assert "ghs-" not in str(limited.value)
        async with httpx.AsyncClient(headers={"Authorization": f"token {TOKEN}"}) as http:
            answer = await http.get(f"{world.github.url}/user")
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert answer.headers["X-Simulated-By"] == "tidegate-sandbox"


async def test_a_redelivery_keeps_its_id_and_a_dead_receiver_holds_nothing_up(world: World) -> None:
    world.receiver.status = 503
    commit(world.work, "a.txt", "a\n", "feat: a")
    git(world.work, "push", "-q", "origin", "main")
    await world.github.refs_changed()
    await world.github.settled()
    (delivery,) = world.github.deliveries
    world.github.redeliver(delivery.id)
    await world.github.settled()
    assert [attempt.status for attempt in delivery.attempts] == [503, 503]
    first, second = world.receiver.got
    assert first == second
    assert first[0]["X-GitHub-Delivery"] == delivery.id
    world.github.send_events_to("http://127.0.0.1:9/", "s")
    git(world.work, "push", "-q", "origin", "main:again")
    await world.github.refs_changed()
    await world.github.settled()
    assert world.github.deliveries[-1].attempts[0].status == 0


async def test_lists_come_in_pages(world: World) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=world.github.url, headers=headers) as http:
        one = await http.get(f"/repos/{NAME}/branches", params={"per_page": 3})
        two = await http.get(one.links["next"]["url"])
        assert (len(one.json()), len(two.json()), "next" in two.links) == (3, 1, False)
        missing = await http.get(f"/repos/{NAME}/nothing")
        assert (missing.status_code, missing.json()["message"]) == (404, "Not Found")
        broken = await http.post(f"/repos/{NAME}/deployments", content=b"{")
        assert (broken.status_code, broken.json()["message"]) == (400, "Problems parsing JSON")


async def test_a_github_that_is_down_is_unavailable(world: World) -> None:
    await world.github.stop()
    async with Client(world.github.url, TOKEN, NAME) as github:
        with pytest.raises(Unavailable, match=r"cannot be reached \(ConnectError\)"):
            await github.release("v1.0.0")


async def test_a_branch_is_protected_and_set_free(world: World) -> None:
    url, headers = f"{world.github.url}/repos/{NAME}/branches", {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        assert (await client.put(f"{url}/nowhere/protection", json={})).status_code == 404
        assert (await client.put(f"{url}/main/protection", json={})).status_code == 200
        assert (await client.get(f"{url}/main")).json()["protected"] is True
        async with world.client() as github:
            assert (await github.merge("main", "hotfix/cart", "Merge")).outcome == "protected"
        assert (await client.delete(f"{url}/main/protection")).status_code == 204
        assert (await client.delete(f"{url}/main/protection")).status_code == 404
    assert not world.github.state.protected
