"""Test results and coverage as tools write them: JUnit XML, Cobertura XML, and the JSON of coverage.py and Istanbul."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

_BAD = ("failure", "error")


class Unreadable(ValueError):
    """A result file is not what it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class Case:
    """A test that did not pass, and the first lines of why."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Suite:
    """How many tests ran, how many of them were skipped, how long they took in seconds, and which did not pass."""

    count: int = 0
    skipped: int = 0
    seconds: float = 0.0
    bad: tuple[Case, ...] = ()

    def __add__(self, other: Suite) -> Suite:
        return Suite(
            self.count + other.count,
            self.skipped + other.skipped,
            self.seconds + other.seconds,
            self.bad + other.bad,
        )


@dataclass(frozen=True, slots=True)
class Coverage:
    """Lines that can run, and those of them that ran."""

    covered: int
    lines: int

    @property
    def percent(self) -> float:
        return 100 * self.covered / self.lines if self.lines else 100.0


def junit(text: str) -> Suite:
    """The tests of a JUnit file. Raises Unreadable."""
    root = _xml(text)
    if root.tag not in ("testsuites", "testsuite"):
        raise Unreadable(f"its root is {root.tag!r}, not testsuites or testsuite")
    cases = list(root.iter("testcase"))
    # What fails outside a test (a fixture, an import) some tools report on the suite itself.
    around = [suite for suite in root.iter("testsuite") if any(child.tag in _BAD for child in suite)]
    return Suite(
        count=len(cases),
        skipped=sum(case.find("skipped") is not None for case in cases),
        seconds=sum(_seconds(case.get("time")) for case in cases),
        bad=tuple(_case(one) for one in [*cases, *around] if any(child.tag in _BAD for child in one)),
    )


def coverage(text: str) -> Coverage:
    """The line coverage of a Cobertura XML file, or of the JSON of coverage.py or Istanbul. Raises Unreadable."""
    return _from_json(text) if text.lstrip().startswith("{") else _from_xml(_xml(text))


def _case(element: ElementTree.Element) -> Case:
    name = ".".join(part for part in (element.get("classname"), element.get("name")) if part)
    cause = next(child for child in element if child.tag in _BAD)
    lines = (cause.get("message") or (cause.text or "").strip() or "no message").strip().splitlines()
    return Case(name or "a test without a name", " | ".join(line.strip() for line in lines[:3])[:300])


def _from_xml(root: ElementTree.Element) -> Coverage:
    if root.tag != "coverage":
        raise Unreadable(f"its root is {root.tag!r}, not coverage")
    told = root.get("lines-covered", ""), root.get("lines-valid", "")
    if all(re.fullmatch(r"\d{1,12}", number, re.ASCII) for number in told):
        return _coverage(int(told[0]), int(told[1]))
    # Without totals, a line counts once for its class; the same lines are listed again below its methods.
    hits = [line.get("hits", "0") for lines in root.findall(".//class/lines") for line in lines.findall("line")]
    if not hits:
        raise Unreadable("it has neither totals (lines-covered, lines-valid) nor lines")
    return _coverage(sum(hit != "0" for hit in hits), len(hits))


def _from_json(text: str) -> Coverage:
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON") from None
    for totals, covered, lines in (
        (data.get("totals"), "covered_lines", "num_statements"),
        ((data.get("total") or {}).get("lines") if isinstance(data.get("total"), dict) else None, "covered", "total"),
    ):
        if isinstance(totals, dict) and all(type(totals.get(key)) is int for key in (covered, lines)):
            return _coverage(totals[covered], totals[lines])
    raise Unreadable("it has neither totals.covered_lines (coverage.py) nor total.lines.covered (Istanbul)")


def _coverage(covered: int, lines: int) -> Coverage:
    if not 0 <= covered <= lines:
        raise Unreadable(f"it says that {covered} of {lines} lines are covered")
    return Coverage(covered, lines)


def _xml(text: str) -> ElementTree.Element:
    """The root. An entity could make a small file huge, or name another file: any declaration of one is refused."""

    def refuse(*_: object) -> None:
        raise Unreadable("it declares an XML entity, which no result needs")

    look = expat.ParserCreate()
    look.EntityDeclHandler = refuse
    try:
        look.Parse(text, True)
        return ElementTree.fromstring(text)  # noqa: S314 - looked through for entities above
    except (expat.ExpatError, ElementTree.ParseError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"it is not XML: {error}") from None


def _seconds(text: str | None) -> float:
    try:
        seconds = float((text or "0").replace(",", ""))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0
