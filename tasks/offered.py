"""What must be there before a release touches a region: rights, Gateway API and the Gateway; and a helm that fits."""

from __future__ import annotations

from functools import cache

import yaml

from clients.access import Access
from clients.helm import Helm
from clients.together import together
from config import load
from release import doctor
from release.doctor import Right
from release.environment import Region
from release.errors import Refused

GATEWAY = "gateway.networking.k8s.io"
GATEWAY_V1 = f"{GATEWAY}/v1"
# What only Tidegate's own chart makes; another one's objects are Helm's to ask for.
_OF_THE_CHART = ("serviceaccounts", "poddisruptionbudgets", "networkpolicies", "jobs")


@cache
def rights() -> tuple[Right, ...]:
    """Every right of infrastructure/rbac/role.yaml."""
    path = load.CHECKOUT / "infrastructure" / "rbac" / "role.yaml"
    role = next(one for one in yaml.safe_load_all(path.read_text()) if one and one.get("kind") == "Role")
    return doctor.rights(role)


async def require(region: Region, *, own_chart: bool, gateway: bool = True) -> None:
    """Raises Refused that names what is missing: a right that a release needs there, and, with `gateway`, Gateway API
    or the Gateway that the routes attach to. Nothing is changed.

    `own_chart` says that Tidegate's chart is installed, not the application's.
    """
    needed = [one for one in rights() if own_chart or one.resource not in _OF_THE_CHART]
    needed = [one for one in needed if gateway or one.group != GATEWAY]
    kubeconfig = load.settings().kubeconfig.expanduser()
    async with Access(kubeconfig, region.context, region.namespace) as access:
        await together(_rights(access, region, needed), *([_gateway(access, region)] if gateway else []))


async def require_helm(helm: Helm) -> None:
    """Raises Refused for a helm that is too old: what it was named for was not looked at."""
    version = await helm.version()
    found = doctor.helm_version(version)
    if found.grade == "wrong":
        raise Refused(
            f"helm {found.detail}; Tidegate needs version {doctor.HELM} or newer.",
            field="helm",
            next_step="Name a newer one in the settings, or none: then Tidegate uses its own where PATH has none.",
        )


async def _rights(access: Access, region: Region, needed: list[Right]) -> None:
    lacking = await access.lacks(tuple((one.verb, one.group, one.resource) for one in needed))
    found = doctor.missing_rights(region.name, [Right(group, what, verb) for verb, group, what in lacking], len(needed))
    if lacking:
        what = f"the account of context {region.context} lacks rights in {region.namespace}: {found.detail}."
        raise Refused(what, region=region.name, field="role", next_step=found.mend)


async def _gateway(access: Access, region: Region) -> None:
    if not await access.offers(GATEWAY_V1, "httproutes"):
        raise Refused(
            f"the cluster has no Gateway API ({GATEWAY_V1}, httproutes), by which users are sent to a version.",
            region=region.name,
            field="gateway",
            next_step="Install Gateway API's standard CRDs and a Gateway; `tidegate doctor` looks again.",
        )
    namespace, _, name = region.gateway.partition("/")
    # An account without the right to look at Gateways, as of role.yaml, cannot tell: then the probe does, later.
    if name and await access.has(f"/apis/{GATEWAY_V1}/namespaces/{namespace}/gateways/{name}") is False:
        raise Refused(
            f"there is no Gateway {name} in {namespace}, to which the routes are to attach.",
            region=region.name,
            field="gateway",
            next_step=f"Create it, or name another one in regions.{region.name}.gateway.",
        )
