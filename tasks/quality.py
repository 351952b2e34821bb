"""The application's own checks, side by side, each group in a work copy of its own; every result is kept."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect import task
from prefect.artifacts import acreate_markdown_artifact, acreate_table_artifact

from config import load
from release import quality
from release.appfile import AppFile
from release.errors import Failed, Unavailable
from release.quality import Checked
from tasks import lodging, source
from tasks.command import application_file, completed, tail
from tasks.say import say

# What runs side by side; the commands of one group run one after the other, in one work copy.
Groups = Sequence[Sequence[str]]
_TIMEOUT = 900.0
_MOST = 20_000_000
# What of a result file is kept as an artifact of its own.
_KEPT = 200_000


class _NotPassed(Failed):
    """A command that did not pass, with all that is known of it."""

    checked: Checked


async def run_side_by_side(
    pipeline: str, checkout: Path, groups: Groups, variables: Mapping[str, str]
) -> list[Checked]:
    """Install, then every group beside the others; how every command ended. Raises Failed naming the first that failed.

    A failure is told at once, but stops nobody: the results of all commands are kept in `results` beside the
    checkout and shown as artifacts, also when tests fail. Raises Refused when a command is missing.
    """
    app = application_file(checkout)
    variables = {**variables, "AUDIT_LEVEL": load.settings().application.audit_level}
    quality.require_commands(app.commands, [command for group in groups for command in group])
    if "install" in app.commands:
        await source.run_command("install", checkout, variables)
    copies = [checkout.with_name(f"{checkout.name}-{group[0]}") for group in groups]
    await asyncio.to_thread(shutil.rmtree, checkout.with_name("results"), ignore_errors=True)
    try:
        ended = await asyncio.gather(
            *(_group(app, checkout, copy, group, variables) for copy, group in zip(copies, groups, strict=True)),
            return_exceptions=True,
        )
    finally:
        await asyncio.to_thread(_remove, copies)
    found = [one for group in ended if not isinstance(group, BaseException) for one in group]
    await _keep(pipeline, found, checkout.with_name("results"))
    for error in ended:
        if isinstance(error, BaseException):
            raise error
    failed = quality.failure(found)
    if failed is not None:
        raise failed
    return found


async def _group(
    app: AppFile, checkout: Path, copy: Path, group: Sequence[str], variables: Mapping[str, str]
) -> list[Checked]:
    await lodging.copied(await lodging.of(checkout), copy)
    found = []
    for command in group:
        try:
            checked = await _command(command, app, copy, checkout.with_name("results") / command, variables)
        except _NotPassed as error:
            checked = error.checked
        say(quality.line(checked), warn=not checked.passed)
        found.append(checked)
    return found


@task(name="check", task_run_name="{command}")
async def _command(command: str, app: AppFile, copy: Path, results: Path, variables: Mapping[str, str]) -> Checked:
    """One command; what it writes is moved to `results`. Raises _NotPassed, so that its task is seen as failed."""
    await _take(app, copy, None)
    try:
        done = await completed(command, copy, variables, _TIMEOUT, app)
    except Unavailable as error:
        ended = Checked(command, None, _TIMEOUT, str(error))
    else:
        ended = Checked(command, done.code, done.seconds, tail(done, variables) if done.code else "")
    junit, coverage = await _take(app, copy, results)
    checked = quality.read(ended, app.results, junit, coverage)
    if not checked.passed:
        bad = _NotPassed(checked.why)
        bad.checked = checked
        raise bad
    return checked


async def _take(app: AppFile, copy: Path, results: Path | None) -> tuple[dict[str, str], dict[str, str]]:
    """Move the result files out of the work copy, so that none is taken for another command's; name to text.

    Without `results` they are removed. Links are left: they could show a file that is not the application's.
    """
    found: tuple[dict[str, str], dict[str, str]] = {}, {}
    for texts, patterns in zip(found, (app.results.junit, app.results.coverage), strict=True):
        for path in sorted({path for pattern in patterns for path in copy.glob(pattern)}):
            if path.is_symlink() or not path.is_file() or copy.resolve() not in path.resolve().parents:
                continue
            name = path.relative_to(copy).as_posix()
            kept = results / name if results else None
            await lodging.take(path, kept, _MOST + 1)
            if kept is not None:
                texts[name] = _text(kept)
    return found


def _text(path: Path) -> str:
    if path.stat().st_size > _MOST:
        return f"larger than {_MOST} bytes"
    return path.read_text(errors="replace")


async def _keep(pipeline: str, found: Sequence[Checked], results: Path) -> None:
    """The table, the report with every failed test, and the files themselves, as artifacts of the run."""
    outcome = "all passed" if all(one.passed for one in found) else "some failed"
    await acreate_table_artifact(key=f"checks-{pipeline}", table=quality.table(found), description=outcome)
    await acreate_markdown_artifact(key=f"check-report-{pipeline}", markdown=quality.report(found), description=outcome)
    for path in sorted(results.rglob("*")) if results.is_dir() else ():
        if path.is_file():
            command, *rest = path.relative_to(results).parts
            text = _text(path)[:_KEPT].replace("```", "'''")
            await acreate_markdown_artifact(
                key=f"results-{pipeline}-{command}", markdown=f"```\n{text}\n```", description="/".join(rest)
            )


def _remove(copies: Sequence[Path]) -> None:
    for copy in copies:
        shutil.rmtree(copy, ignore_errors=True)
