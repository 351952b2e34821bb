"""The verdict on a canary at one weight."""

from __future__ import annotations

from release.environment import Environment, Region
from release.errors import Refused
from release.model import Slot
from release.strategy import Want


async def judge(environment: Environment, region: Region, want: Want, slot: Slot, weight: int) -> None:
    """Watch the slot beside the live one until the verdict is to go on. Raises Failed when it is bad."""
    del environment, want, slot, weight
    raise Refused(
        "a canary cannot be judged yet.", region=region.name, field="strategy", next_step="Release with blue-green."
    )
