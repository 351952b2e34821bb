"""What serves runs and people, looked at: the pipelines in Prefect, their workers, the webhook's secret, the log-in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import yaml

from clients.github_hooks import Hooks
from clients.openid import Client, OpenId
from clients.prefect_api import PrefectApi
from config import load
from deployments import prefectapi
from release.doctor import Finding
from release.errors import Refused, TidegateError, Unavailable
from tasks import context

_REGISTER = "`prefect --no-prompt deploy --all`, or start `tidegate serve --all`, which registers them."


async def pipelines() -> Finding:
    async with prefectapi.orders() as prefect:
        return await registered(prefect, _named())


async def workers() -> Finding:
    async with prefectapi.orders() as prefect:
        return await served(prefect, _named(), datetime.now(UTC))


async def registered(prefect: PrefectApi, names: Sequence[str]) -> Finding:
    """Whether each pipeline is a deployment there. Commands in place need none, so it stops nothing."""
    missing = [name for name in names if await prefect.deployment(name) is None]
    if missing:
        what = f"not registered: {', '.join(missing)}; only commands in place run"
        return Finding("prefect", "pipelines", "note", what, _REGISTER)
    return Finding("prefect", "pipelines", "ok", f"all {len(names)} are registered")


async def served(prefect: PrefectApi, names: Sequence[str], now: datetime) -> Finding:
    """Whether a living worker takes the runs of each pool that a registered pipeline names."""
    found = [one for name in names if (one := await prefect.deployment(name)) is not None]
    pools = sorted({one.pool for one in found if one.pool})
    idle = [pool for pool in pools if not await prefect.workers(pool, now)]
    if idle or not pools:
        mend = f"`prefect worker start --pool {idle[0] if idle else 'tidegate'}`, or `tidegate serve --all`."
        what = f"no worker was heard of in {', '.join(idle)}: its runs wait" if idle else "no pipeline has a pool"
        return Finding("prefect", "workers", "note", what, mend)
    return Finding("prefect", "workers", "ok", f"there are some in {', '.join(pools)}")


async def webhook() -> Finding:
    """Raises Refused where a secret is not there."""
    from deployments.service.missed import hooks

    if await context.secret(load.settings().service.github_secret, "service.github_secret") is None:
        mend = "Set service.github_secret to the secret that you gave GitHub for its webhook."
        return Finding("service", "webhook", "note", "no secret: events of GitHub start nothing", mend)
    return await missed(await hooks())


async def missed(github: Hooks | None) -> Finding:
    """Whether GitHub can be asked for what it could not deliver while the service was down."""
    from deployments.service.webhook import PATH

    may = "the permission to read and write webhooks."
    mend, why = f"{context.NAME_A_WAY_IN} Give it {may}", "there is neither a token nor an App"
    if github is not None:
        mend = f"Give {github.setting} {may}"
        try:
            async with github:
                await github.find(PATH)
            return Finding("service", "webhook", "ok", "its secret can be read here, and GitHub knows it")
        except Refused as error:
            mend, why = error.next_step or mend, error.what.rstrip(".")
    what = f"its secret can be read here; what is missed is not asked for again: {why}"
    return Finding("service", "webhook", "note", what, mend)


async def openid() -> Finding:
    """Whether the provider describes itself as its issuer."""
    login = load.settings().login
    if login.openid is None:
        return Finding("service", "OpenID", "ok", "none is configured")
    secret = await context.secret(login.openid.client_secret, "login.openid.client_secret")
    provider = OpenId(Client(login.openid.issuer, login.openid.client_id, secret, login.address or ""))
    try:
        return await described(provider, login.openid.issuer)
    finally:
        await provider.close()


async def described(provider: OpenId, issuer: str) -> Finding:
    """A provider that does not answer, or is another one, lets nobody in."""
    try:
        await provider.ask()
    except TidegateError as error:
        mend = "Correct login.openid.issuer, or see that ISSUER/.well-known/openid-configuration answers."
        return Finding("service", "OpenID", "silent" if isinstance(error, Unavailable) else "wrong", error.what, mend)
    return Finding("service", "OpenID", "ok", f"{issuer} describes itself")


def _named() -> list[str]:
    found = yaml.safe_load((load.CHECKOUT / "prefect.yaml").read_text())["deployments"]
    return [str(one["name"]) for one in found]
