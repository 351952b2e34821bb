"""`python -m deployments.automations`: have the Prefect server hold what lets runs go on, once each, however often.

Prefect's own `automation create` makes another of the same name each time.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import yaml

from clients.prefect_api import PrefectApi
from config import load
from deployments import prefectapi

_FILE = load.CHECKOUT / "deployments" / "many" / "automations.yaml"


async def hold(prefect: PrefectApi) -> None:
    """Raises Unavailable where the server does not answer, Refused where it does not accept one."""
    for one in cast(list[dict[str, Any]], yaml.safe_load(_FILE.read_text())["automations"]):
        await prefect.automate(one)


async def _main() -> None:
    async with prefectapi.orders() as prefect:
        await hold(prefect)


if __name__ == "__main__":
    asyncio.run(_main())
