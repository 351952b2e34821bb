"""No test reads what a sandbox or a person left in this checkout, or in the shell."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDEGATE_HOME", str(tmp_path_factory.mktemp("home")))
        for name in [name for name in os.environ if name.startswith("TIDEGATE__")]:
            patch.delenv(name)
        yield
