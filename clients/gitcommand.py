"""How git is called: its environment, its one writer at a time, and what its complaints mean."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from release.errors import Refused, TidegateError, Unavailable

LOCAL_TIMEOUT = 30.0
_OF_THE_CALLER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_TRACE", "GIT_CURL_VERBOSE", "GIT_CONFIG")
_DENIED = re.compile(
    r"authentication failed|could not read (username|password)|permission denied|returned error: 40[13]", re.I
)
_MISSING = re.compile(
    r"returned error: 404|repository '.*' not found|does not appear to be a git repository|not valid|"
    r"does not exist|unable to find remote helper|protocol .* is not supported|transport '.*' not allowed",
    re.I,
)


@dataclass(frozen=True)
class Credential:
    """For HTTP: a user (any word, for a token) and a password or token, which no repr shows; `setting` is where the
    settings name it."""

    username: str
    password: str = field(repr=False)
    setting: str = "github.token"


def environment(folder: Path, url: str, credential: Credential | None) -> dict[str, str]:
    """The environment of every git command: never asks, never leaves a background process, speaks English.

    The credential travels in it, scoped to `url`, because argv is readable by every user of the machine.
    """
    settings = {
        "gc.autoDetach": "false",
        "maintenance.autoDetach": "false",
        "core.hooksPath": os.devnull,
        "advice.detachedHead": "false",
    }
    if credential is not None:
        word = base64.b64encode(f"{credential.username}:{credential.password}".encode()).decode()
        settings |= {"credential.helper": "", f"http.{url}.extraHeader": f"Authorization: Basic {word}"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_OF_THE_CALLER)}
    numbered = {
        f"GIT_CONFIG_{kind}_{number}": text
        for number, pair in enumerate(settings.items())
        for kind, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return (
        kept
        | numbered
        | {
            "GIT_CONFIG_COUNT": str(len(settings)),
            "GIT_DIR": str(folder),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS": "",
            "LC_ALL": "C",
        }
    )


def explain(url: str, stderr: str, credential: Credential | None = None) -> TidegateError:
    """What a failed fetch means: Refused for the address or the credential, else Unavailable."""
    lines = [line for line in stderr.strip().splitlines() if line.startswith(("fatal:", "error:", "remote:"))]
    reason = (lines or stderr.strip().splitlines() or ["git gave no reason"])[-1]
    if _DENIED.search(stderr) and credential is not None:
        return Refused(
            f"{url} does not let git in with {credential.setting}.",
            field=credential.setting,
            next_step="Give it the repository's contents, to read and, for a revert, to write.",
        )
    if _DENIED.search(stderr):
        return Refused(
            f"{url} does not let this machine's git in.",
            field="application.git",
            next_step="Give the user who runs Tidegate a way in by git's own means, a credential helper for https or a "
            "key for ssh, or set github.app; to push a revert, github.token must have the right to.",
        )
    if _MISSING.search(stderr):
        return Refused(
            f"There is no git repository at {url} ({reason}).",
            field="application.git",
            next_step="Correct the address.",
        )
    return Unavailable(f"{url} did not answer ({reason}).", field="application.git", next_step="Try again.")


@asynccontextmanager
async def writing(folder: Path, timeout: float) -> AsyncIterator[None]:
    """Hold the mirror against other writers; clear what a killed one left. Unavailable after `timeout` s."""
    await asyncio.to_thread(folder.parent.mkdir, parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as file:
        try:
            async with asyncio.timeout(timeout):
                await _lock(file.fileno())
        except TimeoutError as error:
            raise Unavailable(
                f"Another run has been writing to the mirror {folder} for {timeout:g} s.", field="application.git"
            ) from error
        await asyncio.to_thread(_clear, folder)
        yield


async def _lock(descriptor: int) -> None:
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        await asyncio.sleep(0.05)


def _clear(folder: Path) -> None:
    for left in [*folder.glob("*.lock"), *(folder / "refs").rglob("*.lock")]:
        left.unlink(missing_ok=True)
