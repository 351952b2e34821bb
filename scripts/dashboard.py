"""Writes infrastructure/monitoring/dashboard.json, the Grafana dashboard on releases.

    python scripts/dashboard.py

Here the panels are a line each; Grafana's JSON of them is a thousand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "infrastructure" / "monitoring" / "dashboard.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# The chosen environments, and their chosen regions.
E = 'environment=~"$environment"'
ER = f'{E}, region=~"$region"'
DEPLOYED = 'outcome=~"released|recovered|halted"'

# What tells the service's replicas apart: each tells the same counts, which are the database's.
REPLICA = "instance, pod, container, endpoint, service, job"

Target = tuple[str, str]
EVIDENCE = "Releases in flight: evidence on the canary and where it decides"


def ratio(part: str, whole: str) -> str:
    """A share that is no data, not a division by zero, where there is no whole."""
    return f"{part} / ({whole} > 0)"


def once(metric: str, most: str = "max") -> str:
    """A metric that every replica tells, as one."""
    return f"{most} without ({REPLICA}) ({metric})"


def risen(name: str, over: str, selector: str = ER) -> str:
    """By how much a counter rose. They never go back, so replicas may come and go meanwhile."""
    within = f"{name}{{{selector}}}[{over}]"
    return f"{once(f'max_over_time({within})')} - {once(f'min_over_time({within})', 'min')}"


def quantile(share: float) -> str:
    buckets = f"sum by (le, strategy) ({risen('deployment_finished_duration_seconds_bucket', '$__range')})"
    # Without observations it would be NaN, which no comparison lets through.
    return f"histogram_quantile({share}, {buckets}) >= 0"


def by(labels: str, name: str, over: str, selector: str = ER) -> str:
    return f"sum by ({labels}) ({risen(name, over, selector)})"


STATS: list[tuple[str, str, str, str]] = [
    (
        "Deployment success rate, last 24 hours",
        "percentunit",
        ratio(by("environment", "deployments_success_total", "24h"), by("environment", "deployments_total", "24h")),
        "{{environment}}",
    ),
    (
        "Mean time to recovery, last 30 days",
        "s",
        ratio(
            f"sum({risen('deployment_recovery_duration_seconds_sum', '30d')})",
            f"sum({risen('deployment_recovery_duration_seconds_count', '30d')})",
        ),
        "",
    ),
    ("Change lead time, 30 days", "s", once('dora_change_lead_time_seconds{window="30d"}'), ""),
    ("Deployments to production a day, 30 days", "none", once('dora_deployment_frequency_per_day{window="30d"}'), ""),
    ("Change fail rate, 30 days", "percentunit", once('dora_change_fail_ratio{window="30d"}'), ""),
    (
        "Failed deployment recovery time, 30 days",
        "s",
        once('dora_failed_deployment_recovery_seconds{window="30d"}'),
        "",
    ),
    ("Deployment rework rate, 30 days", "percentunit", once('dora_deployment_rework_ratio{window="30d"}'), ""),
    (
        "Incidents prevented, last 30 days",
        "none",
        f"sum({risen('tidegate_incidents_prevented_total', '30d', E)})",
        "",
    ),
]
GRAPHS: list[tuple[str, str, list[Target]]] = [
    (
        "Deployment frequency: releases a day",
        "none",
        [(by("environment", "tidegate_runs_total", "1d", f"{E}, {DEPLOYED}"), "{{environment}}")],
    ),
    (
        "Deployments that failed, a day and region",
        "none",
        [(by("environment, region", "deployments_failed_total", "1d"), "{{environment}} {{region}}")],
    ),
    (
        "Duration by strategy",
        "s",
        [(quantile(0.5), "{{strategy}}, median"), (quantile(0.95), "{{strategy}}, 95 of 100")],
    ),
    (
        "Releases in flight: time since the lock was won",
        "s",
        [
            (
                f"max by (environment, pipeline, strategy) (deployment_duration_seconds{{{ER}}})",
                "{{environment}} {{pipeline}} {{strategy}}",
            )
        ],
    ),
    (
        "Releases in flight: share of the users by slot",
        "percent",
        [(once(f"tidegate_traffic_weight_percent{{{ER}}}"), "{{environment}} {{region}} {{slot}}")],
    ),
    (
        EVIDENCE,
        "none",
        [
            (once(f"tidegate_verdict_evidence{{{ER}}}"), "{{region}} {{side}}"),
            (once(f"tidegate_verdict_bound{{{ER}}}"), "{{region}} {{side}}, decides at"),
        ],
    ),
    (
        "Requests that fail, by environment",
        "percentunit",
        [
            (
                ratio(
                    f'sum by (environment) (rate(traefik_router_requests_total{{{E}, code=~"5.."}}[5m]))',
                    f"sum by (environment) (rate(traefik_router_requests_total{{{E}}}[5m]))",
                ),
                "{{environment}}",
            )
        ],
    ),
    ("Lock held for", "s", [(once(f"tidegate_lock_age_seconds{{{E}}}"), "{{environment}}")]),
    (
        "Approvals waiting",
        "none",
        [(once(f"tidegate_approvals_waiting{{{E}}}"), "{{environment}}")],
    ),
    (
        "Runs that ended, by outcome",
        "none",
        [(by("outcome", "tidegate_runs_total", "1d", E) + " > 0", "{{outcome}}")],
    ),
]
ANNOTATIONS: list[tuple[str, str, str]] = [
    ("Releases", "green", "deployments_success_total"),
    ("Failed releases", "red", "deployments_failed_total"),
]


def panel(
    number: int, kind: str, title: str, unit: str, targets: list[Target], where: dict[str, int]
) -> dict[str, Any]:
    queries = [
        {"datasource": SOURCE, "refId": chr(65 + index), "expr": expression, "legendFormat": legend or "__auto"}
        | ({"instant": True, "range": False} if kind == "stat" else {"instant": False, "range": True})
        for index, (expression, legend) in enumerate(targets)
    ]
    options: dict[str, Any] = {
        "stat": {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "auto",
        },
        "timeseries": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }[kind]
    # Counts, seconds and shares begin at 0; evidence is a logarithm.
    least: dict[str, Any] = {} if title == EVIDENCE else {"min": 0}
    return {
        "id": number,
        "type": kind,
        "title": title,
        "datasource": SOURCE,
        "gridPos": where,
        "targets": queries,
        "fieldConfig": {"defaults": {"unit": unit, "noValue": "no data"} | least, "overrides": []},
        "options": options,
    }


def panels() -> list[dict[str, Any]]:
    found = []
    for index, (title, unit, expression, legend) in enumerate(STATS):
        where = {"x": index % 4 * 6, "y": index // 4 * 4, "w": 6, "h": 4}
        found.append(panel(len(found) + 1, "stat", title, unit, [(expression, legend)], where))
    for index, (title, unit, targets) in enumerate(GRAPHS):
        where = {"x": index % 2 * 12, "y": 8 + index // 2 * 8, "w": 12, "h": 8}
        found.append(panel(len(found) + 1, "timeseries", title, unit, targets, where))
    return found


def variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "query": {"query": query, "refId": f"Variable-{name}"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "options": [],
        "regex": "",
        "skipUrlSync": False,
    }


def annotation(name: str, colour: str, metric: str) -> dict[str, Any]:
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": by("environment, pipeline, strategy", metric, "$__rate_interval") + " > 0",
        "titleFormat": name,
        "textFormat": "{{environment}}: {{pipeline}}, {{strategy}}",
        "tagKeys": "environment,pipeline,strategy",
        "step": "60s",
    }


def dashboard() -> dict[str, Any]:
    """The whole dashboard."""
    source = {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0}
    more = {"refresh": 1, "regex": "", "multi": False, "includeAll": False, "options": [], "skipUrlSync": False}
    return {
        "uid": "tidegate-releases",
        "title": "Multi-Environment Deployments",
        "description": "What is released where, how well, and what a release is doing. Metrics: docs/metrics.md.",
        "tags": ["tidegate"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": "now-7d", "to": "now"},
        "refresh": "30s",
        "annotations": {"list": [annotation(*one) for one in ANNOTATIONS]},
        "templating": {
            "list": [
                source | more | {"current": {"selected": False, "text": "default", "value": "default"}},
                variable("environment", "Environment", "label_values(deployments_total, environment)"),
                variable("region", "Region", f"label_values(deployments_total{{{E}}}, region)"),
            ]
        },
        "links": [],
        "panels": panels(),
    }


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
    print(TARGET)
