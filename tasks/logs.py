"""Lines of a run as JSON, one object a line, where TIDEGATE_LOG_JSON is set."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

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
    if region := _text(record, "region"):
        return region
    if _text(record, "flow_name") in OF_A_REGION:
        return _text(record, "flow_run_name").partition(":")[0]
    return ""


def _text(record: logging.LogRecord, name: str) -> str:
    value = getattr(record, name, None)
    return "" if value is None else str(value)
