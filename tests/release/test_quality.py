from __future__ import annotations

import pytest

from release import quality
from release.appfile import Results
from release.errors import Refused
from release.quality import Checked
from release.results import Case, Coverage, Suite

DECLARED = Results(("test-results*.xml",), ("coverage.xml",))
GOOD = '<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>'
BAD = '<testsuite><testcase classname="shop.Orders" name="b"><failure message="2 != 3"/></testcase></testsuite>'


def read(code: int | None = 0, *junit: str, coverage: str | None = None, command: str = "unit") -> Checked:
    junits = {f"test-results-{number}.xml": text for number, text in enumerate(junit)}
    ended = Checked(command, code, 1.25, "" if code == 0 else "it broke")
    return quality.read(ended, DECLARED, junits, {"coverage.xml": coverage} if coverage else {})


def test_what_passed():
    checked = read(0, GOOD, GOOD, coverage='{"totals": {"covered_lines": 1, "num_statements": 3}}')
    assert checked.passed
    assert checked.tests == Suite(4, 2, 0.0)
    assert checked.coverage == Coverage(1, 3)
    assert quality.line(checked) == "unit passed in 1.2 s, 4 tests, 0 failed, 2 skipped, coverage 33.3 %"
    assert quality.failure([checked]) is None


@pytest.mark.parametrize(
    ("checked", "why"),
    [
        (read(1, GOOD), "exit code 1: it broke"),
        (read(None), "it broke"),
        (read(1, BAD), "1 of 1 tests did not pass; shop.Orders.b: 2 != 3"),
        (read(0, GOOD, BAD), "1 of 3 tests did not pass; shop.Orders.b: 2 != 3"),
        (read(0, "<testsuite/>"), "it ran no test at all"),
        (read(0, "<html/>"), "test-results-0.xml cannot be read: its root is 'html', not testsuites or testsuite."),
        (read(0, GOOD, coverage="?"), "coverage.xml cannot be read: it is not XML"),
        (read(0), "it wrote no test-results*.xml, so nobody knows what was tested."),
    ],
)
def test_what_did_not_pass(checked: Checked, why: str):
    """Exit code 0 alone is not health: a failed test, no test, or no readable result is none."""
    assert not checked.passed
    assert checked.why.startswith(why)
    assert why in quality.line(checked)
    failed = quality.failure([read(0, GOOD), checked])
    assert failed is not None
    assert str(failed).startswith(f"unit failed: {why.rstrip('.')}")


def test_a_linter_writes_no_results():
    assert read(0, command="lint").passed


def test_results_are_expected_only_where_they_are_declared():
    assert quality.read(Checked("unit", 0), Results(), {}, {}).passed


def test_the_first_failure_is_told_and_the_others_named():
    failed = quality.failure([read(1, command="lint"), read(0, GOOD), read(1, BAD), read(1, command="sast")])
    assert failed is not None
    assert failed.what == "lint failed: exit code 1: it broke. Also failed: unit, sast."
    assert failed.next_step == "Mend what lint says, then run again; the run's artifacts have every result."


def test_the_table():
    rows = quality.table([read(1, BAD), read(0, command="lint")])
    assert [(row["check"], row["outcome"], row["tests"], row["failed"], row["took"]) for row in rows] == [
        ("unit", "failed", 1, 1, "1.2 s"),
        ("lint", "passed", "", "", "1.2 s"),
    ]


def test_the_report_names_every_failed_test_and_nothing_in_it_is_markdown():
    cases = tuple(Case(f"t{number} <b>|*", "# not a heading\n<script>") for number in range(25))
    text = quality.report([Checked("unit", 1, tests=Suite(30, 0, 0.0, cases))])
    assert "\n| unit | failed | 30 | 25 | 0 |" in text
    assert "t0  b   :" in text
    assert "\n    # not a heading\n    <script>\n" in text
    assert "\n\nAnd 5 more." in text
    assert "t20" not in text


def test_a_missing_command_is_refused():
    quality.require_commands({"unit": (), "lint": ()}, ["unit"])
    with pytest.raises(Refused, match="names no command audit, sast") as caught:
        quality.require_commands({"unit": ()}, ["unit", "audit", "sast"])
    assert caught.value.field == "tidegate.yaml: commands"
