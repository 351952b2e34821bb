"""The names that Traefik 3 gives to Gateway API resources, so that queries written for it work here."""

from __future__ import annotations

import hashlib
import re

from sandbox.gateway.model import Match

PROVIDER = "@kubernetesgateway"


def service(namespace: str, name: str, port: int, protocol: str = "http") -> str:
    return _normal(f"{namespace}-{name}-{protocol}-{port}") + PROVIDER


def router(namespace: str, route: str, gateway: str, entry: str, index: int, rule: str) -> str:
    """`index` is the rule's position in the route, `rule` its text from `rule_text`."""
    digest = hashlib.sha256(rule.encode()).hexdigest()[:20]
    key = _normal(f"httproute-{namespace}-{route}-gw-{namespace}-{gateway}-ep-{entry}-{index}")
    return f"{key}-{digest}{PROVIDER}"


def balancer(router_name: str) -> str:
    """The weighted round robin behind a router."""
    return router_name.removesuffix(PROVIDER) + "-wrr" + PROVIDER


def rule_text(hosts: tuple[str, ...], match: Match) -> str:
    """A match in Traefik's rule language; its hash is part of the router's name."""
    parts = [_path(match)]
    if match.method:
        parts.append(f"Method(`{match.method}`)")
    parts += [f"Header(`{name}`,`{value}`)" for name, value in match.headers]
    parts += [f"Query(`{name}`,`{value}`)" for name, value in match.query]
    text = " && ".join(parts)
    rules = [_host(host) for host in hosts]
    if not rules:
        return text
    return f"{rules[0] if len(rules) == 1 else '(' + ' || '.join(rules) + ')'} && {text}"


def _path(match: Match) -> str:
    if match.kind == "exact":
        return f"Path(`{match.path}`)"
    if match.kind == "regex":
        return f"PathRegexp(`{match.path}`)"
    if match.path == "/":
        return "PathPrefix(`/`)"
    path = match.path.rstrip("/")
    return f"(Path(`{path}`) || PathPrefix(`{path}/`))"


def _host(host: str) -> str:
    if "*" not in host:
        return f"Host(`{host}`)"
    pattern = re.escape(host).replace(r"\*\.", r"[a-z0-9-\.]+\.", 1)
    return f"HostRegexp(`^{pattern}$`)"


def _normal(name: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "-", name).strip("-")
