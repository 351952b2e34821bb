from __future__ import annotations

import pytest

from release import notes
from release.errors import Refused


@pytest.mark.parametrize(
    ("body", "strategy"),
    [
        ("", None),
        ("A new page.", None),
        ("strategy: canary", "canary"),
        ("What changed\r\n\r\nstrategy: canary\r\n\r\n- a page\r\n", "canary"),
        ("- **Strategy:** `blue-green`", "blue-green"),
        ("Strategy: Rolling", "rolling"),
        ("strategy: canary\nstrategy: canary", "canary"),
        ("<!-- strategy: canary -->\n- a page", None),
        ("Our strategy: we sell more mugs.", None),
        ("strategy:\ncanary", None),
    ],
)
def test_a_line_of_the_body_chooses_the_strategy(body: str, strategy: str | None):
    assert notes.strategy_of(body) == strategy


@pytest.mark.parametrize(
    ("body", "says"), [("strategy: big-bang", "big-bang"), ("strategy: canary\nstrategy: rolling", "more than one")]
)
def test_a_strategy_that_cannot_be_meant_is_refused(body: str, says: str):
    with pytest.raises(Refused, match=says) as raised:
        notes.strategy_of(body)
    assert raised.value.field == "strategy"
    assert raised.value.next_step


@pytest.mark.parametrize("body", ["", " \n\t\n", "<!-- what changes? -->", "strategy: canary\n", "<!-- never closed"])
def test_nothing_is_written(body: str):
    assert notes.text(body) == ""


def test_what_is_written_is_kept():
    assert notes.text("strategy: canary\n\n- a page <!-- with mugs -->\n- a price") == "- a page \n- a price"
