"""Lines of a run as JSON, one object a line, where TIDEGATE_LOG_JSON is set."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from config import load
from release.errors import TidegateError

WANTED = "TIDEGATE_LOG_JSON"
# The subflows of one region are named for it.
OF_A_REGION = ("region", "emergency", "regional")


def wanted() -> bool:
    """Whether somebody asked for JSON: TIDEGATE_LOG_JSON is set, and not to 0."""
    return os.environ.get(WANTED, "0") not in ("", "0")


class JsonLines(logging.Formatter):
    """`time`, `level`, `logger`, `message`, and of which `run`, `region` and `step`; empty where it is of none."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "run": _run(record),
            "region": _region(record),
            "step": _text(record, "task_run_name") or _text(record, "flow_name"),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def region_of(flow: str, run: str, step: str) -> str:
    """The region that a run of `flow`, or a step of a run of all regions, is named for; empty for none."""
    if flow in OF_A_REGION:
        return run.partition(":")[0]
    words = [word.rstrip(":") for word in step.split()]
    known = _regions(load.home(), load.folder()) if words else frozenset()
    return next((word for word in words if word in known), "")


def start() -> None:
    """Every handler of this process that writes lines writes JSON, if that is wanted."""
    if not wanted():
        return
    from prefect.logging.configuration import setup_logging

    # Prefect makes its handlers at its first run; made now, they are only adjusted then.
    setup_logging()
    loggers: list[Any] = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    for handler in [one for logger in loggers for one in getattr(logger, "handlers", ())]:
        if isinstance(handler, logging.StreamHandler):
            handler.setFormatter(JsonLines())


def _run(record: logging.LogRecord) -> str:
    """The root run, by which a release is known; the line's own run where it is not told inside one."""
    own = _text(record, "flow_run_id")
    if not own:
        return ""
    # Only here: a command that only looks loads nothing heavy.
    from tasks import context

    root = context.run_id()
    return own if root == context.NO_RUN else root


def _region(record: logging.LogRecord) -> str:
    told, names = _text(record, "region"), ("flow_name", "flow_run_name", "task_run_name")
    return told or region_of(*(_text(record, name) for name in names))


@cache
def _regions(_home: Path, _folder: Path) -> frozenset[str]:
    """The configured regions of all environments; none where that cannot be read."""
    try:
        return frozenset(region for name in load.ENVIRONMENTS for region in load.environment(name).regions)
    except TidegateError:
        return frozenset()


def _text(record: logging.LogRecord, name: str) -> str:
    value = getattr(record, name, None)
    return "" if value is None else str(value)
