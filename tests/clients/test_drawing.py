"""A verdict's chart as a PNG, with no font of the machine's."""

from __future__ import annotations

import struct

import pytest

from clients.drawing import png
from release.errors import Failed
from release.verdict import Policy, chart


def test_a_chart_becomes_a_picture_of_twice_its_size() -> None:
    with_text = png(chart.draw(Policy(), (), "us-east-1: v1.5.0 beside what is live", chart.PLAIN))
    assert with_text.startswith(b"\x89PNG")
    assert struct.unpack(">II", with_text[16:24]) == (2 * chart.WIDE.width, 2 * chart.WIDE.height)
    assert len(with_text) > len(png(chart.draw(Policy(), (), " ", chart.PLAIN))) + 1000, "its words are drawn"
    assert "var(" not in chart.PLAIN


def test_what_is_no_svg_is_refused() -> None:
    with pytest.raises(Failed, match="could not be drawn"):
        png("no picture")
