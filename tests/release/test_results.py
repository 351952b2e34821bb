from __future__ import annotations

import json

import pytest

from release.results import Case, Coverage, Suite, Unreadable, coverage, junit

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="unit" tests="4">
  <testcase classname="shop.Orders" name="test_total" time="0.5"/>
  <testcase classname="shop.Orders" name="test_later" time="0.25"><skipped message="later"/></testcase>
  <testcase classname="shop.Orders" name="test_price" time="1,000.25"><failure message="2 != 3">x</failure></testcase>
  <testcase name="test_page" time="nan"><error>line one
    line two</error></testcase>
</testsuite></testsuites>"""


def test_junit():
    assert junit(JUNIT) == Suite(
        count=4,
        skipped=1,
        seconds=1001.0,
        bad=(Case("shop.Orders.test_price", "2 != 3"), Case("test_page", "line one | line two")),
    )


def test_a_suite_may_be_the_root_and_may_fail_itself():
    found = junit('<testsuite name="api"><error message="no server"/><testcase name="a"/></testsuite>')
    assert (found.count, found.bad) == (1, (Case("api", "no server"),))


def test_results_of_several_files_add_up():
    assert junit(JUNIT) + junit('<testsuite><testcase name="a"/></testsuite>') == Suite(5, 1, 1001.0, junit(JUNIT).bad)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not XML"),
        ("<testsuite>", "it is not XML"),
        ("<html></html>", "its root is 'html'"),
        ('<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><testsuite>&b;</testsuite>', "declares an XML entity"),
        ('<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><testsuite>&f;</testsuite>', "declares an XML entity"),
        ('<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]><testsuite/>', "declares an XML entity"),
    ],
)
def test_what_is_no_junit_is_unreadable(text: str, why: str):
    with pytest.raises(Unreadable, match=why):
        junit(text)


def test_what_a_failing_page_said_is_no_doctype():
    message = "<![CDATA[<!DOCTYPE html><!ENTITY x>]]>"
    found = junit(f'<testsuite><testcase name="a"><failure>{message}</failure></testcase></testsuite>')
    assert found.bad == (Case("a", "<!DOCTYPE html><!ENTITY x>"),)


LINES = "<lines><line number='1' hits='4'/><line number='2' hits='0'/></lines>"


@pytest.mark.parametrize(
    "text",
    [
        '<coverage lines-covered="1" lines-valid="2"/>',
        '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd"><coverage lines-covered="1"'
        ' lines-valid="2"/>',
        f"<coverage line-rate='0.5'><packages><package><classes><class><methods><method>{LINES}</method></methods>"
        f"{LINES}</class></classes></package></packages></coverage>",
        json.dumps({"totals": {"covered_lines": 1, "num_statements": 2, "percent_covered": 50}}),
        json.dumps({"total": {"lines": {"total": 2, "covered": 1, "pct": 50}}, "/app/a.js": {}}),
    ],
)
def test_coverage(text: str):
    found = coverage(text)
    assert found == Coverage(1, 2)
    assert found.percent == 50


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not XML"),
        ("{", "not JSON"),
        ("[]", "not XML"),
        ("{}", "neither totals"),
        ('{"total": 5, "totals": []}', "neither totals"),
        ('{"totals": {"covered_lines": true, "num_statements": 2}}', "neither totals"),
        ('{"totals": {"covered_lines": 3, "num_statements": 2}}', "3 of 2 lines"),
        ("<coverage/>", "neither totals"),
        ("<testsuite/>", "its root is 'testsuite'"),
    ],
)
def test_what_is_no_coverage_is_unreadable(text: str, why: str):
    with pytest.raises(Unreadable, match=why):
        coverage(text)


def test_nothing_to_cover_is_covered():
    assert Coverage(0, 0).percent == 100
