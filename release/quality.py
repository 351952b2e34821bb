"""What the application's checks found, command by command: passed or not, why, and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from release.appfile import Results
from release.errors import Failed, Refused
from release.results import Coverage, Suite, Unreadable, coverage, junit

# Commands that run tests: where result files are declared, these are expected to write some.
TESTS = ("unit", "integration", "e2e")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """One command's end: its exit `code` (None when it did not end in time), its last lines, and what it wrote.

    `problem` says what is wrong with the results themselves.
    """

    command: str
    code: int | None
    seconds: float = 0.0
    tail: str = ""
    tests: Suite | None = None
    coverage: Coverage | None = None
    problem: str = ""

    @property
    def passed(self) -> bool:
        return not self.why

    @property
    def why(self) -> str:
        """Why it did not pass; empty when it did. Exit code 0 with a failed test, or with none at all, is no pass."""
        if self.tests is not None and self.tests.bad:
            first = self.tests.bad[0]
            return f"{len(self.tests.bad)} of {self.tests.count} tests did not pass; {first.name}: {first.message}"
        if self.code is None:
            return self.tail or "it did not end in time"
        if self.code:
            return f"exit code {self.code}: {self.tail}"
        if self.tests is not None and not self.tests.count:
            return "it ran no test at all"
        return self.problem


def read(checked: Checked, declared: Results, junits: Mapping[str, str], coverages: Mapping[str, str]) -> Checked:
    """The command's end with its result files, each name to text; a file that cannot be read is a failure."""
    tests: Suite | None = None
    covered: Coverage | None = None
    problem = ""
    for name, text in {**junits, **coverages}.items():
        try:
            if name in junits:
                tests = (tests or Suite()) + junit(text)
            else:
                covered = coverage(text)
        except Unreadable as error:
            problem = f"{name} cannot be read: {error}."
    if declared.junit and checked.command in TESTS and tests is None:
        problem = problem or f"it wrote no {' or '.join(declared.junit)}, so nobody knows what was tested."
    return Checked(checked.command, checked.code, checked.seconds, checked.tail, tests, covered, problem)


def require_commands(commands: Mapping[str, object], wanted: Sequence[str]) -> None:
    """Raises Refused naming the commands that the application lacks: a check that is not there passes nothing."""
    missing = [name for name in wanted if name not in commands]
    if missing:
        raise Refused(
            f"the application names no command {', '.join(missing)}.",
            field="tidegate.yaml: commands",
            next_step="Name one for each; docs/examples has files to start from.",
        )


def failure(found: Sequence[Checked]) -> Failed | None:
    """The first that did not pass, as an error that tells all of them; None when all passed."""
    bad = [one for one in found if not one.passed]
    if not bad:
        return None
    first, *others = bad
    also = f" Also failed: {', '.join(one.command for one in others)}." if others else ""
    return Failed(
        f"{first.command} failed: {first.why.rstrip('.')}.{also}",
        next_step=f"Mend what {first.command} says, then run again; the run's artifacts have every result.",
    )


def line(checked: Checked) -> str:
    """One command's end for the person who watches."""
    word = "passed" if checked.passed else "FAILED"
    told = [f"{checked.command} {word} in {checked.seconds:.1f} s"]
    if checked.tests is not None:
        told.append(f"{checked.tests.count} tests, {len(checked.tests.bad)} failed, {checked.tests.skipped} skipped")
    if checked.coverage is not None:
        told.append(f"coverage {checked.coverage.percent:.1f} %")
    return ", ".join(told) + ("" if checked.passed else f": {checked.why}")


def table(found: Sequence[Checked]) -> list[dict[str, Any]]:
    """Rows for a Prefect table artifact."""
    return [
        {
            "check": one.command,
            "outcome": "passed" if one.passed else "failed",
            "tests": one.tests.count if one.tests else "",
            "failed": len(one.tests.bad) if one.tests else "",
            "skipped": one.tests.skipped if one.tests else "",
            "coverage": f"{one.coverage.percent:.1f} %" if one.coverage else "",
            "took": f"{one.seconds:.1f} s",
            "why": one.why,
        }
        for one in found
    ]


def report(found: Sequence[Checked]) -> str:
    """The same as Markdown, with every test that did not pass."""
    heads = ("check", "outcome", "tests", "failed", "skipped", "coverage", "took")
    lines = ["# Checks", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [f"| {' | '.join(str(row[head]) for head in heads)} |" for row in table(found)]
    for one in found:
        if one.passed:
            continue
        lines += ["", f"## {one.command}", "", *_quoted(one.why)]
        cases = one.tests.bad if one.tests else ()
        lines += [text for case in cases[:_SHOWN] for text in ("", f"{_plain(case.name)}:", *_quoted(case.message))]
        lines += ["", f"And {len(cases) - _SHOWN} more."] if len(cases) > _SHOWN else []
    return "\n".join(lines)


def _plain(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign in " ._:/-[](),=" else " " for sign in text)


def _quoted(text: str) -> list[str]:
    """What a program said, indented, so that nothing in it is taken for Markdown."""
    return ["", *(f"    {one}" for one in text.splitlines()), ""]
