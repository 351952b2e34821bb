"""The report on how the team releases: DORA's five measures beside those of the period before."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import Field

from release import dora_report
from tasks import notify
from tasks.report import up_to_date


@flow(name="report", flow_run_name="{days} days by {actor}")
async def report(days: Annotated[int, Field(ge=1, le=366)] = 7, actor: str = "unknown") -> str:
    """Tell #releases how well production was released to, and keep it as an artifact.

    Args:
        days: How many days, up to now; they are compared with as many before them.
        actor: Who asked for it.
    """
    del actor  # the run's name has it
    found = await up_to_date(days)
    text = dora_report.markdown(found)
    await acreate_markdown_artifact(key="dora", markdown=text, description=f"The last {days} days")
    await notify.slack("releases", dora_report.slack(found))
    return text
