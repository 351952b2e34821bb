"""Who somebody is by a one-time code, with the settings' people and a database."""

from __future__ import annotations

from pathlib import Path

import pytest
from somepeople import code, configured

from release.errors import Refused, Unavailable
from tasks import proof


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    configured(tmp_path, monkeypatch)
    return tmp_path


async def test_a_code_proves_once() -> None:
    given = code()
    assert (await proof.prove("Ada", given)).name == "ada"
    with pytest.raises(Refused, match="used before"):
        await proof.prove("ada", given)
    with pytest.raises(Refused, match="used before"):
        await proof.prove_in_need("ada", given)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("ada", "000000", "the code is wrong"),
        ("ada", "", "the code is wrong"),
        ("ada-l", None, "nobody of `people`"),
        ("mallory", None, "nobody of `people`"),
        ("eve", None, "no secret for one-time codes"),
    ],
)
async def test_what_proves_nothing(name: str, given: str | None, says: str) -> None:
    for way in (proof.prove, proof.prove_in_need):
        with pytest.raises(Refused, match=says):
            await way(name, code() if given is None else given)


async def test_nobody_may_guess() -> None:
    for _ in range(5):
        with pytest.raises(Refused, match="wrong"):
            await proof.prove("ada", "000000")
    with pytest.raises(Refused, match="5 wrong codes"):
        await proof.prove("ada", code())


@pytest.mark.parametrize("url", ["postgresql://tidegate@127.0.0.1:9/tidegate", None])
async def test_an_emergency_waits_for_no_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    if url is None:
        monkeypatch.delenv("TIDEGATE__DATABASE__URL__FILE")
    else:
        (folder / "address").write_text(url)
    with pytest.raises((Refused, Unavailable), match="database"):
        await proof.prove("ada", code())
    person, note = await proof.prove_in_need("ada", code())
    assert person.name == "ada"
    assert note.startswith("whether ada's code was used before is not known: ")
    with pytest.raises(Refused, match="the code is wrong"):
        await proof.prove_in_need("ada", "000000")
