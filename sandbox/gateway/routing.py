"""From a request to its reply: pure but for the split's own turn-taking."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from sandbox.gateway import application
from sandbox.gateway.model import EntryPoint, Match, Pool, Reply, Request, Rule
from sandbox.gateway.split import Split
from sandbox.world import Answer, RunningPod

BANNER = {"X-Maintenance": "true"}
TEXT = "text/plain; charset=utf-8"

Pods = Mapping[str, RunningPod]


def decide(
    entry: EntryPoint,
    request: Request,
    *,
    now: float,
    split: Split,
    pods: Pods,
    overrides: application.Overrides,
) -> Reply:
    """What `request` gets at `entry`; `now` is seconds since the epoch, for maintenance modes that lapse."""
    rule = find(entry.rules, request)
    if rule is None:
        return Reply(Answer(404, b"404 page not found\n", TEXT), "unrouted")
    mode = rule.maintenance
    if mode is None or now >= mode.until:
        return _forward(rule, request, split, pods, overrides)
    if mode.block:
        headers = {"Retry-After": str(math.ceil(mode.until - now)), **BANNER}
        return Reply(Answer(503, b"under maintenance\n", TEXT), "maintenance", rule, headers=headers)
    reply = _forward(rule, request, split, pods, overrides)
    reply.headers = BANNER
    return reply


def find(rules: tuple[Rule, ...], request: Request) -> Rule | None:
    """The first rule that fits; `rules` are in their order of precedence."""
    for rule in rules:
        if _host_fits(rule.hosts, request.host) and fits(rule.match, request):
            return rule
    return None


def fits(match: Match, request: Request) -> bool:
    if match.method and match.method != request.method:
        return False
    for name, value in match.headers:
        if request.headers.get(name.lower()) != value:
            return False
    for name, value in match.query:
        if request.query.get(name) != value:
            return False
    return _path_fits(match, request.path)


def _path_fits(match: Match, path: str) -> bool:
    if match.kind == "exact":
        return path == match.path
    if match.kind == "regex":
        return _matches(match.path, path)
    prefix = match.path.rstrip("/")
    return not prefix or path == prefix or path.startswith(prefix + "/")


def _matches(pattern: str, path: str) -> bool:
    try:
        return re.search(pattern, path) is not None
    except re.error:
        return False


def _host_fits(hosts: tuple[str, ...], host: str) -> bool:
    if not hosts or host in hosts:
        return True
    return any(known.startswith("*.") and host.endswith(known[1:]) for known in hosts)


def _forward(rule: Rule, request: Request, split: Split, pods: Pods, overrides: application.Overrides) -> Reply:
    index = split.pick(rule.router, rule.weights)
    if index is None:
        return Reply(Answer(500, b"", TEXT), "missing", rule)
    pool = rule.pools[index]
    if pool.problem is not None:
        return Reply(Answer(500, b"", TEXT), "missing", rule, pool)
    if not pool.endpoints:
        return Reply(Answer(503, b"no available server\n", TEXT), "unready", rule, pool)
    return _ask(rule, pool, request, split, pods, overrides)


def _ask(rule: Rule, pool: Pool, request: Request, split: Split, pods: Pods, overrides: application.Overrides) -> Reply:
    endpoint = pool.endpoints[split.turn(pool.label, len(pool.endpoints))]
    pod = pods.get(endpoint.uid)
    if pod is None or not pod.serving or (pod.ports and endpoint.port not in pod.ports):
        return Reply(Answer(502, b"Bad Gateway", TEXT), "ended", rule, pool, endpoint.uid)
    return Reply(respond(pod, request.path, split, overrides), "application", rule, pool, pod.uid)


def respond(pod: RunningPod, path: str, split: Split, overrides: application.Overrides) -> Answer:
    """A serving pod's answer. Errors are spread over a version's requests in a region, not over one pod's:
    else pods that started together would fail together.
    """
    rate, seconds = application.behaviour(pod, overrides)
    failed = path not in application.SELF and split.fails(f"{pod.namespace}/{pod.version}", rate)
    return application.answer(pod, path, failed=failed, seconds=seconds)
