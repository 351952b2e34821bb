"""The outside systems of the settings, ready to be called: one place that turns addresses into clients."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from clients.cluster import Cluster
from clients.helm import Helm, Place
from clients.lock import Lock
from clients.prefect_api import PrefectApi
from clients.registry import Registry
from clients.tools import ensure_helm
from config import load, text
from config.schema import Secret as SecretModel
from release.environment import Environment, Region, SecretRef
from release.errors import Halted, Refused, TidegateError, Unavailable
from tasks import server

# Imported where they are needed: Prefect takes two seconds and githubkit half a second, which a command that only
# looks need not wait for.
if TYPE_CHECKING:
    from clients.github import GitHub
    from clients.github_app import App
    from clients.slack import Slack
    from clients.store import Store


# What a run is known by that Prefect knows nothing of.
NO_RUN = "local"

# The root of this run, which its subflows would have to ask Prefect for again and again.
_root: ContextVar[str] = ContextVar("root", default="")

# A run that waits at its gates is begun again a few times, too.
MOST_STARTS = 20
NAME_A_WAY_IN = "Set github.token or github.app."
# PATH -> the helm that was found for it: looked for once a process.
_helms: dict[str, str] = {}


def work(*parts: str) -> Path:
    """A folder of this checkout's state, made when missing."""
    path = load.home().joinpath("work", *parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def place(region: Region) -> Place:
    return Place(region.context, region.namespace)


@contextmanager
def named(region: Region) -> Iterator[None]:
    """An error inside says in which region it was."""
    try:
        yield
    except TidegateError as error:
        error.region = error.region or region.name
        raise


@asynccontextmanager
async def cluster(region: Region) -> AsyncIterator[Cluster]:
    with named(region):
        kubeconfig = load.settings().kubeconfig.expanduser()
        async with Cluster(kubeconfig, region.context, region.namespace, switch=region.traffic) as found:
            yield found


def lock(region: Region) -> Lock:
    settings = load.settings()
    return Lock(settings.kubeconfig.expanduser(), region.context, region.namespace, settings.application.name)


async def helm() -> Helm:
    """Helm as the settings name it. Where they name none: a helm 4 on PATH, else the pinned one, its hash checked, as
    `clients.tools.ensure_helm` raises."""
    settings = load.settings()
    executable = settings.helm if settings.names_helm else await _found_helm()
    return Helm(executable, settings.kubeconfig.expanduser(), cache=load.cache() / "helm")


async def _found_helm() -> str:
    path = os.environ.get("PATH", "")
    if path not in _helms:
        _helms[path] = str(await ensure_helm(load.cache(), logging.getLogger("tidegate").info))
    return _helms[path]


def chart(checkout: Path | None) -> Path:
    """The chart of the application, else Tidegate's own."""
    own = load.settings().application.chart
    if own is None or checkout is None:
        return load.CHECKOUT / "infrastructure" / "chart"
    return checkout / own


async def registry() -> Registry:
    settings = load.settings()
    host, _, path = settings.application.image.partition("/")
    del host
    password = await secret(settings.registry.password, "registry.password")
    return Registry(settings.registry.url, path, username=settings.registry.username, password=password)


async def github(patience: float | None = None) -> GitHub | None:
    """None where neither a token nor an App is configured: GitHub is then told nothing. `patience` is how many seconds
    a rate limit is waited for, where not the usual time."""
    settings, access = load.settings(), await github_access()
    if access is None:
        return None
    from clients.github import GitHub
    from clients.github_limit import PATIENCE

    patience = PATIENCE if patience is None else patience
    return GitHub(settings.github.url, access, settings.application.github, patience=patience)


async def github_access() -> str | App | None:
    """As what GitHub is asked: a token, an App, or None. Raises Refused where a secret of it is not there."""
    app = load.settings().github.app
    if app is None:
        return await secret(load.settings().github.token, "github.token")
    from clients.github_app import App

    return App(app.id, app.installation, await resolve(app.private_key.ref(), "github.app.private_key"))


async def required_github() -> GitHub:
    """GitHub, for what cannot be left out. Raises Refused where neither a token nor an App is configured."""
    client = await github()
    if client is None:
        raise Refused(
            "neither a token nor an App for GitHub is configured.", field="github.token", next_step=NAME_A_WAY_IN
        )
    return client


async def slack() -> Slack:
    from clients.slack import Slack

    settings = load.settings().slack
    if settings.token is not None:
        return Slack(settings.url, {}, await secret(settings.token, "slack.token"))
    webhooks = {
        str(name): await resolve(ref.ref(), f"slack.webhooks.{name}") for name, ref in settings.webhooks.items()
    }
    return Slack(settings.url, webhooks, None)


async def store() -> Store | None:
    """The database, to be opened with `async with`; None where none is configured."""
    from clients.store import Store

    database = load.settings().database
    return None if database is None else Store(await resolve(database.url.ref(), "database.url"))


async def secret(model: SecretModel | None, field: str) -> str | None:
    """The value behind a reference of the settings; None without one. Raises Refused naming `field`."""
    return None if model is None else await resolve(model.ref(), field)


async def resolve(ref: SecretRef, field: str) -> str:
    """A secret's value. Raises Refused naming `field` and the reference, when it is not there, and Unavailable naming
    `field` where the Prefect server that keeps it does not answer."""
    value: str | None = None
    if ref.kind == "env":
        value = os.environ.get(ref.name)
    elif ref.kind == "file":
        with suppress(FileNotFoundError):
            value = text.read(Path(ref.name).expanduser(), field).strip()
    else:
        value = await _block(ref.name, field)
    if not value:
        kinds = {"env": "the variable", "file": "the file", "prefect": "the Prefect Secret block"}
        raise Refused(
            f"the secret is missing: {kinds[ref.kind]} {ref.name} is not there or is empty.",
            field=field,
            next_step="Provide it where Tidegate runs, or change the reference in the configuration.",
        )
    return value


async def _block(name: str, field: str) -> str | None:
    """The value of a block on the settings' own server, whatever profile Prefect has here."""
    api, headers = server.place()
    try:
        async with PrefectApi(api, headers=headers) as prefect:
            return await prefect.secret(name)
    except Unavailable as error:
        what = f"the secret cannot be read: it is in the Prefect Secret block {name}, and {error.what}"
        step = f"See whether the Prefect server at {api} runs, then start this again."
        raise Unavailable(what, field=field, next_step=step) from None


async def variables(environment: Environment, region: Region) -> dict[str, str]:
    """What the application's commands get: variables, secrets and the region's address, by name."""
    secrets = {
        name: await resolve(ref, f"{environment.name}.yaml: secrets.{name}")
        for name, ref in environment.secrets.items()
    }
    fixed = {"API_URL": region.address, "TARGET_URL": region.address, "REGION": region.name}
    return {**environment.variables, **secrets, **fixed, "ENVIRONMENT": environment.name}


def run_id() -> str:
    """The root flow run's id: what a release is known by."""
    from prefect.context import FlowRunContext
    from prefect.runtime import flow_run

    here = FlowRunContext.get()
    if here is None or here.flow_run is None:
        return str(flow_run.root_flow_run_id or NO_RUN)
    if here.flow_run.parent_task_run_id is None:
        _root.set(str(here.flow_run.id))
    elif not _root.get():
        _root.set(str(flow_run.root_flow_run_id))
    return _root.get()


def require_few_starts() -> None:
    """Raises Halted where this run was begun so often, after crashes, that it would go on for ever."""
    from prefect.runtime import flow_run

    if flow_run.run_count > MOST_STARTS:
        raise Halted(
            f"this run was begun {flow_run.run_count} times, and its process ended each time.",
            next_step="Look at its log and at the workers' memory; then start the same command again.",
        )


def run_url() -> str:
    """The page of the root flow run in Prefect; empty without a server."""
    from prefect.runtime import flow_run

    url = flow_run.ui_url or ""
    own, root = str(flow_run.id), run_id()
    return url.replace(own, root) if own else url
