"""Runs the tests of one folder and writes `test-results-FOLDER.xml` (JUnit); with a package also its coverage.

python3 -m tools.testing unit shop
"""

import sys
import time
import unittest
from contextlib import nullcontext
from xml.etree import ElementTree

from tools.coverage import Coverage


class Result(unittest.TextTestResult):
    """Keeps what JUnit wants: every test, how long it took, and why it did not pass."""

    def __init__(self, *arguments, **words):
        super().__init__(*arguments, **words)
        self.cases = []

    def startTest(self, test):
        super().startTest(test)
        self._started = time.perf_counter()
        self._case(test)

    def stopTest(self, test):
        self.cases[-1].set("time", f"{time.perf_counter() - self._started:.3f}")
        super().stopTest(test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._bad(test, "failure", error)

    def addError(self, test, error):
        super().addError(test, error)
        self._bad(test, "error", error)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            kind = "failure" if issubclass(error[0], test.failureException) else "error"
            self._bad(test, kind, error)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._bad(test, "failure", (AssertionError, "an expected failure did not come", None))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        ElementTree.SubElement(self._of(test), "skipped", message=repr(reason))

    def _case(self, test):
        folder, _, name = test.id().rpartition(".")
        self.cases.append(ElementTree.Element("testcase", classname=folder, name=name, time="0"))
        return self.cases[-1]

    def _of(self, test):
        """The test's element; a fixture that fails is no test, and gets one of its own."""
        return self.cases[-1] if isinstance(test, unittest.TestCase) and self.cases else self._case(test)

    def _bad(self, test, kind, error):
        element = self._of(test)
        if element.find(kind) is None:
            text = "".join(sign if sign.isprintable() else " " for sign in f"{error[0].__name__}: {error[1]}")
            ElementTree.SubElement(element, kind, message=text)


def write(result, name, seconds):
    """The JUnit file of one folder's tests."""
    count = {"tests": len(result.cases), "failures": len(result.failures), "errors": len(result.errors)}
    suite = ElementTree.Element("testsuite", {key: str(value) for key, value in count.items()})
    suite.set("name", name)
    suite.set("time", f"{seconds:.3f}")
    suite.extend(result.cases)
    ElementTree.ElementTree(suite).write(f"test-results-{name}.xml", encoding="unicode", xml_declaration=True)


def main(name, package=None):
    coverage = Coverage(package) if package else nullcontext()
    started = time.perf_counter()
    with coverage:
        tests = unittest.defaultTestLoader.discover(f"tests/{name}", top_level_dir=".")
        result = unittest.TextTestRunner(resultclass=Result, verbosity=0).run(tests)
    write(result, name, time.perf_counter() - started)
    if package:
        coverage.write("coverage.xml")
    return not (result.wasSuccessful() and result.testsRun)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
