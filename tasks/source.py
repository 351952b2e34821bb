"""The application's source: its commits, tags, checkouts and commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml
from prefect import task

from clients import commits, process
from clients.git import Repository
from config import load
from release import appfile
from release.appfile import AppFile
from release.errors import Failed, Refused
from release.versions import Version, parse_tag
from tasks.context import work
from tasks.policy import RETRY
from tasks.say import say

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")


async def _repository() -> Repository:
    application = load.settings().application
    return await Repository.open(application.git, work("mirrors") / f"{application.name}.git")


@task(task_run_name="resolve {ref}", **RETRY)
async def commit_of(ref: str) -> str:
    """The full commit of a branch, tag or commit. Raises Refused when there is none."""
    return await (await _repository()).commit_of(ref)


@task(task_run_name="is {commit} on {branch}", **RETRY)
async def require_on_branch(tag: str, commit: str, branch: str) -> None:
    """Raises Refused unless the commit is on the branch."""
    if not await (await _repository()).contains(branch, commit):
        raise Refused(
            f"the commit of {tag} ({commit[:12]}) is not on {branch}.",
            field="tag",
            next_step=f"Merge it into {branch} and tag the merged commit.",
        )


@task(task_run_name="next version", **RETRY)
async def next_version(commit: str) -> Version:
    """The version that the commits since the last release tag make. Raises Refused when none is releasable."""
    repository = await _repository()
    tag = await repository.last_tag(commit)
    last = parse_tag(tag) if tag else None
    found = commits.next_version(last, await repository.messages(tag, commit))
    if found is None:
        raise Refused(
            f"no commit since {tag or 'the beginning'} is releasable (feat, fix, perf or a breaking change).",
            field="ref",
            next_step="Give a version with --version, or commit a change that is to be released.",
        )
    return found


@task(task_run_name="check out {commit}", **RETRY)
async def checkout(commit: str, run: str) -> Path:
    """A clean work tree of the commit, in a folder of this run."""
    return await (await _repository()).checkout(commit, work("runs", run) / f"source-{commit[:12]}")


def application_file(source: Path) -> AppFile:
    """The application's `tidegate.yaml`. Raises Refused when it is missing or broken."""
    path = source / "tidegate.yaml"
    try:
        data = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise Refused(
            "the application has no tidegate.yaml at this commit.",
            field="tidegate.yaml",
            next_step="Add one; docs/examples has two to start from.",
        ) from None
    except yaml.YAMLError:
        raise Refused("it is not valid YAML.", field="tidegate.yaml", next_step="Mend the file.") from None
    return appfile.parse(data)


@task(task_run_name="{command}")
async def run_command(command: str, checkout: Path, variables: Mapping[str, str], timeout: float = 900.0) -> None:
    """One of the application's commands, in its work tree. Raises Failed with its last lines when it fails."""
    say(await _run(command, checkout, variables, timeout, region=None))


@task(task_run_name="{region}: {command}")
async def check(region: str, command: str, checkout: Path, variables: Mapping[str, str]) -> None:
    """One of the application's commands against a region, as `run_command`."""
    say(await _run(command, checkout, variables, 300.0, region=region), region=region)


async def _run(
    command: str, checkout: Path, variables: Mapping[str, str], timeout: float, *, region: str | None
) -> str:
    # The command sees these variables and a few of the machine's, nothing else of Tidegate's own environment.
    argv = application_file(checkout).commands.get(command)
    if argv is None:
        raise Refused(f"the application names no command {command!r}.", field="tidegate.yaml: commands")
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    done = await process.run(argv, cwd=checkout, env={**inherited, "PATH": path, **variables}, timeout=timeout)
    if done.code == 0:
        return f"{command} passed in {done.seconds:.1f} s"
    lines = _hidden(done.stdout + done.stderr, variables).splitlines()
    tail = " | ".join(line.strip() for line in lines[-4:] if line.strip())
    raise Failed(
        f"{command} failed with exit code {done.code}: {tail}",
        region=region,
        next_step=f"Mend what {command} says, then run again.",
    )


def _hidden(text: str, variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        secretive = any(word in name for word in ("PASSWORD", "KEY", "TOKEN", "SECRET"))
        if secretive and len(value) >= 4:
            text = text.replace(value, "***")
    return text
