"""Telling the person who watches: the run's log in Prefect, and the command line's live lines."""

from __future__ import annotations

from prefect.logging import get_run_logger


def say(text: str, *, region: str | None = None, warn: bool = False) -> None:
    """One line for a person. `region` is put before it."""
    logger = get_run_logger()
    line = f"{region}: {text}" if region else text
    # The command line shows only lines with this mark; Prefect's own go to its page alone.
    (logger.warning if warn else logger.info)(line, extra={"tidegate": True, "region": region})
