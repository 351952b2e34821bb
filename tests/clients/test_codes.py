"""One-time codes in the store: each counts once, and nobody may guess."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clients.codes import Codes
from clients.store import Store
from release.errors import Refused


@pytest.fixture
async def codes(tmp_path: Path) -> AsyncIterator[Codes]:
    async with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        yield Codes(store)


async def test_they_cannot_be_guessed(codes: Codes) -> None:
    for number in range(5):
        await codes.require_patience("bob", 1000.0 + number)
        await codes.wrong("bob", "cli", "3f2a", 1000.0 + number)
    with pytest.raises(Refused, match="5 wrong codes"):
        await codes.require_patience("bob", 1010.0)
    await codes.require_patience("eve", 1010.0)
    await codes.require_patience("bob", 1700.0)


async def test_one_is_used_once_by_each(codes: Codes) -> None:
    await codes.use("bob", 7, 1000.0)
    with pytest.raises(Refused, match="used before"):
        await codes.use("bob", 7, 1001.0)
    await codes.use("eve", 7, 1001.0)
    await codes.use("bob", 8, 1002.0)
