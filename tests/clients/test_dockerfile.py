"""The labels that the stand-in reads from a Dockerfile."""

from __future__ import annotations

import pytest

from clients.dockerfile import labels
from release.errors import Failed


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("FROM scratch\nLABEL a=b", {}, {"a": "b"}),
        ('FROM scratch\nlabel a="two words" b=c', {}, {"a": "two words", "b": "c"}),
        ("FROM scratch\nLABEL a the whole rest", {}, {"a": "the whole rest"}),
        ("FROM scratch\nLABEL a=1 \\\n  # a comment\n  b=2\n", {}, {"a": "1", "b": "2"}),
        ("FROM scratch\nARG V=1\nLABEL v=$V", {}, {"v": "1"}),
        ("FROM scratch\nARG V=1\nLABEL v=${V}.x", {"V": "2"}, {"v": "2.x"}),
        ("FROM scratch\nARG V\nLABEL v=${V:-none} w=${V:+some}", {}, {"v": "none", "w": ""}),
        ("FROM scratch\nARG V\nLABEL v=${V:-none} w=${V:+some}", {"V": "3"}, {"v": "3", "w": "some"}),
        ("ARG V=1\nFROM scratch\nLABEL v=$V", {}, {"v": ""}),
        ("ARG V=1\nFROM scratch\nARG V\nLABEL v=$V", {}, {"v": "1"}),
        ("FROM scratch\nLABEL v=$V", {"V": "not declared"}, {"v": ""}),
        ("FROM a AS build\nLABEL a=1\nFROM b\nLABEL b=2", {}, {"b": "2"}),
        ("FROM scratch\nENV V=4\nLABEL v=$V", {}, {"v": "4"}),
        ('FROM scratch\nLABEL price="\\$5"', {}, {"price": "$5"}),
    ],
)
def test_labels_are_read_as_docker_reads_them(text: str, arguments: dict[str, str], expected: dict[str, str]) -> None:
    assert labels(text, arguments) == expected


@pytest.mark.parametrize("text", ["", "# nothing\n", 'FROM scratch\nLABEL a="open'])
def test_a_dockerfile_that_cannot_be_read_fails_the_build(text: str) -> None:
    with pytest.raises(Failed):
        labels(text, {})
