"""Several requests side by side: what becomes of the others when one fails."""

from __future__ import annotations

import asyncio

import pytest

from clients.together import every, together
from release.errors import Unavailable


async def test_no_write_is_under_way_when_its_neighbour_s_error_is_raised() -> None:
    failed, written = asyncio.Event(), []

    async def fails() -> None:
        failed.set()
        raise Unavailable("us-east-1 is away")

    async def writes() -> None:
        await failed.wait()
        await asyncio.sleep(0.01)
        written.append("eu-west-1")

    with pytest.raises(Unavailable, match="us-east-1"):
        await every(writes(), fails())
    assert written == ["eu-west-1"]
    failed.clear()
    with pytest.raises(Unavailable, match="us-east-1"):
        await together(writes(), fails())
    assert written == ["eu-west-1"], "what is only asked is given up"
