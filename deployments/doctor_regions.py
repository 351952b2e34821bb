"""A region examined: its API server, the account's rights, Gateway API, clock, Secret and users' address."""

from __future__ import annotations

from clients import probe
from clients.access import Access
from config import load
from release import doctor
from release.doctor import Finding, Right
from release.environment import Environment, Region
from release.errors import TidegateError, Unavailable
from tasks import context, offered
from tasks.offered import GATEWAY_V1 as GATEWAY


async def in_region(environment: Environment, region: Region) -> tuple[Finding, ...]:
    """What was found there; where its API server does not answer, only that."""
    about = region.name if region.name == environment.name else f"{environment.name} {region.name}"
    kubeconfig = load.settings().kubeconfig.expanduser()
    try:
        async with Access(kubeconfig, region.context, region.namespace) as access:
            version, skew = await access.version()
            wanted = tuple((one.verb, one.group, one.resource) for one in offered.rights())
            lacking = await access.lacks(wanted)
            has_routes = region.traffic == "service" or await access.offers(GATEWAY, "httproutes")
    except TidegateError as error:
        return (_failed(about, "cluster", error),)
    missing = [Right(group, resource, verb) for verb, group, resource in lacking]
    return (
        doctor.cluster_version(about, version),
        doctor.clock(about, skew),
        doctor.missing_rights(about, missing, len(wanted)),
        _gateway(about, region, offered=has_routes),
        await _secret(about, environment, region),
        await _variables(about, environment, region),
        await _address(about, environment, region),
    )


def _gateway(about: str, region: Region, *, offered: bool) -> Finding:
    if region.traffic == "service":
        return Finding(about, "gateway", "ok", "none is needed: one Service is the switch")
    if offered:
        return Finding(about, "gateway", "ok", f"{GATEWAY} is installed")
    mend = "Install Gateway API's standard CRDs and a Gateway."
    return Finding(about, "gateway", "wrong", f"the cluster has no {GATEWAY}", mend)


async def _secret(about: str, environment: Environment, region: Region) -> Finding:
    name = environment.kubernetes_secret
    if not name:
        return Finding(about, "pods' secret", "ok", "none is asked for")
    try:
        async with context.cluster(region) as cluster:
            keys = await cluster.secret_keys(name)
    except TidegateError as error:
        return _failed(about, "pods' secret", error)
    missing = sorted(set(environment.secrets) - (keys or frozenset()))
    if missing:
        what = f"{name} has no key {', '.join(missing)}" if keys is not None else f"there is no Secret {name}"
        mend = f"Create it in {region.namespace}; Tidegate never copies secrets into a cluster."
        return Finding(about, "pods' secret", "wrong", what, mend)
    return Finding(about, "pods' secret", "ok", f"{name} has every key")


async def _variables(about: str, environment: Environment, region: Region) -> Finding:
    try:
        await context.variables(environment, region)
    except TidegateError as error:
        return _failed(about, "secrets", error)
    return Finding(about, "secrets", "ok", f"{len(environment.secrets)} can be read here")


async def _address(about: str, environment: Environment, region: Region) -> Finding:
    url = f"{region.address}{environment.probe.path}"
    try:
        answer = await probe.get(url, timeout=environment.probe.timeout)
    except Unavailable as error:
        return Finding(about, "address", "silent", error.what, "See that the Gateway listens there.")
    if answer.is_success:
        return Finding(about, "address", "ok", f"{url} answers {answer.status_code}")
    # Before the first release nobody is there to answer.
    return Finding(about, "address", "note", f"{url} answers {answer.status_code}", "Is anything released there?")


def _failed(about: str, what: str, error: TidegateError) -> Finding:
    grade: doctor.Grade = "silent" if isinstance(error, Unavailable) else "wrong"
    field = f"{error.field}: " if error.field else ""
    return Finding(about, what, grade, f"{field}{error.what}", error.next_step or "")
