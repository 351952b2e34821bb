"""The parts that are up, as people read them."""

from __future__ import annotations

from sandbox.progress import Progress


def test_every_part_is_told_in_an_order_for_people() -> None:
    progress = Progress(lambda line: None)
    for name in ("another", "serve", "kubernetes"):
        with progress.part(name, "real") as part:
            part.address = f"http://{name}"
    assert [part.name for part in progress.parts] == ["kubernetes", "serve", "another"]
