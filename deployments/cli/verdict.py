"""`tidegate verdict`: a canary's verdict computed again from the counts that it saw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from release.errors import Failed, Refused
from release.verdict import Kind, Verdict, course, record
from release.verdict.chart import draw


def verdict(
    file: Annotated[Path, typer.Argument(help="verdict-REGION.jsonl of a run, or the artifact counts-REGION.")],
    chart: Annotated[Path | None, typer.Option(help="Draw its course into this SVG file.")] = None,
) -> None:
    """Compute a canary's verdict again from its stored counts, and compare it with the one that was given.

    Runs keep them in $TIDEGATE_HOME/work/runs/RUN. Exit code 3 when the verdicts differ.
    Example: `tidegate verdict verdict-us-east-1.jsonl --chart course.svg`.
    """
    try:
        stored = record.load(file.read_text())
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Refused(str(error), field="file", next_step="Give a file that a run has stored.") from error
    if not stored.entries:
        raise Refused("nothing was judged in it.", field="file", next_step="Give a file that a run has stored.")
    verdicts = course(stored.policy, stored.entries)
    typer.echo(stored.title)
    for sentence in turns(verdicts):
        typer.echo(f"  {sentence}")
    if chart is not None:
        chart.write_text(draw(stored.policy, stored.entries, stored.title))
        typer.echo(f"drawn in {chart}")
    _compare(verdicts[-1].sentence, stored.given)


def turns(verdicts: tuple[Verdict, ...]) -> list[str]:
    """The verdicts that were another kind, or for another cause, than the one before, and the last."""
    found, before = [], None
    for each in verdicts:
        if (each.kind, each.cause) != before and each.kind is not Kind.CONTINUE:
            found.append(each.sentence)
        before = (each.kind, each.cause)
    return list(dict.fromkeys([*found, verdicts[-1].sentence]))


def _compare(computed: str, given: str) -> None:
    if not given:
        typer.echo("The run broke off before it gave a last verdict: this is what it had seen.")
    elif computed == given:
        typer.echo("The same verdict as was given.")
    else:
        raise Failed(
            f"the verdict that was given was another: {given}",
            next_step="Was the file changed, or stored by another version of Tidegate?",
        )
