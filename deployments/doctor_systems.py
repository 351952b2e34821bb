"""Each outside system that is no region, looked at once. Each raises what keeps it from being looked at."""

from __future__ import annotations

import os

from clients import probe, process, user
from config import load
from deployments import prefectapi, reading
from release import doctor, doctor_user, gates_messages
from release.doctor import Finding
from release.errors import TidegateError, Unavailable
from tasks import context


async def prefect() -> Finding:
    async with prefectapi.runs() as runs:
        return Finding("prefect", "server", "ok", f"{await runs.version()} at {runs.api}")


async def database() -> Finding:
    async with prefectapi.runs() as runs:
        await runs.ready()
    return Finding("prefect", "database", "ok", "the server reaches it")


async def own_database() -> Finding:
    store = await context.store()
    if store is None:
        mend = "Set database.url; approvals and webhooks are kept there."
        return Finding("tidegate", "database", "note", "none is configured", mend)
    try:
        await store.answers()
    finally:
        await store.close()
    return Finding("tidegate", "database", "ok", "it answers")


async def people() -> Finding:
    """Whether each environment's gates could open at all, and whether the people's codes can be checked."""
    settings = load.settings()
    for name in load.ENVIRONMENTS:
        gates = load.environment(name).gates
        gates_messages.require_possible(gates, settings.persons, store=settings.database is not None, broken=False)
    for name, person in settings.people.items():
        await context.secret(person.totp, f"people.{name}.totp")
        await context.secret(person.password, f"people.{name}.password")
    await context.secret(settings.slack.signing_secret, "slack.signing_secret")
    return Finding("gates", "people", "ok", f"{len(settings.people)} may act")


async def checks() -> Finding:
    """Whether what anybody may push to a branch runs where it could read what gates and webhooks are worth. Raises
    Refused where root cannot run it as the user who is named."""
    settings, root = load.settings(), user.is_root()
    if (name := settings.checks.user) is not None:
        if root:
            user.account(name)
        return doctor_user.as_another(name, user.own_name(), root=root)
    guarded = ["people"] if settings.people else []
    guarded += ["service.github_secret"] if settings.service.github_secret is not None else []
    return doctor_user.as_worker(user.own_name(), guarded, root=root, sandbox=settings.target == "sandbox")


async def git() -> Finding:
    application = load.settings().application
    tip = await (await reading.mirror()).commit_of(f"refs/heads/{application.branch}")
    return Finding("git", "repository", "ok", f"{application.git}, {application.branch} is {tip[:12]}")


async def registry() -> Finding:
    async with await context.registry() as registry:
        tags = await registry.tags()
        await registry.may_push()
        return Finding("registry", "credentials", "ok", f"{registry.image}: {len(tags)} tags, may push")


async def helm() -> Finding:
    return doctor.helm_version(await (await context.helm()).version())


async def kubectl() -> Finding:
    """Only people need it: messages name it as the next step."""
    try:
        await process.run(["kubectl", "version", "--client"], timeout=10)
    except TidegateError:
        mend = "Install it, or use `tidegate sandbox kubectl` in the sandbox."
        return Finding("kubectl", "executable", "note", "it is not on PATH; only people need it", mend)
    return Finding("kubectl", "executable", "ok", "on PATH")


async def engine() -> Finding:
    from clients.docker import engine_reachable

    engine = load.settings().engine
    if engine.builder == "archive":
        mend = "Set engine.builder to engine for real builds."
        return Finding("engine", "builder", "note", "the stand-in packs images; nothing is built", mend)
    host = engine.host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    version = await engine_reachable(host)
    if version is None:
        raise Unavailable(f"no Docker Engine answers at {host}.", next_step="Start it, or set engine.host.")
    return Finding("engine", "builder", "ok", f"Docker Engine {version} at {host}")


async def github() -> Finding:
    client = await context.github()
    if client is None:
        detail = "neither a token nor an App: GitHub is told nothing"
        return Finding("github", "token", "note", detail, context.NAME_A_WAY_IN)
    async with client as github:
        given = await github.permissions()
    grade = doctor.github_token if load.settings().github.app is None else doctor.github_app
    return grade(github.repo, given)


async def slack() -> Finding:
    settings, slack = load.settings().slack, await context.slack()
    if settings.token is not None:
        return Finding("slack", "credentials", "ok", f"bot token of {await slack.check()}")
    missing = sorted({"deployments", "releases", "incidents"} - {str(name) for name in settings.webhooks})
    if missing:
        mend = f"Set slack.webhooks.{missing[0]}, or slack.token."
        return Finding("slack", "credentials", "note", f"no webhook for {', '.join(missing)}", mend)
    return Finding("slack", "credentials", "ok", "a webhook for each channel; tried only by a message")


async def on_call() -> Finding:
    slack = load.settings().slack
    return doctor.on_call(slack.on_call, incidents=slack.token is not None or "incidents" in slack.webhooks)


async def backup() -> Finding:
    backup = load.settings().backup
    if backup is None:
        grade: doctor.Grade = "wrong" if load.environment("production").backup else "note"
        mend = "Set backup.url, or `backup: false` in production.yaml."
        return Finding("backup", "address", grade, "no backup service is configured", mend)
    await context.secret(backup.token, "backup.token")
    return await _answers("backup", backup.url)


async def monitoring() -> Finding:
    monitoring = load.settings().monitoring
    urls = [url for url in (monitoring.url, monitoring.metrics) if url and "{region}" not in url]
    if not urls:
        mend = "Set monitoring.url: a canary is judged by it."
        return Finding("monitoring", "address", "note", "no address to read metrics from", mend)
    return [await _answers("monitoring", url) for url in urls][-1]


async def _answers(about: str, url: str) -> Finding:
    """Whether anything answers there; what a hook does is seen only when it is called."""
    answer = await probe.get(url, timeout=5)
    if answer.status_code >= 500:
        raise Unavailable(f"{url} answers {answer.status_code}.")
    return Finding(about, "address", "ok", f"{url} answers")
