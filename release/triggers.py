"""Which run a GitHub event asks for: the branches and events that start a pipeline, and those that start nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from release import branches, hotfix, notes
from release.errors import Refused
from release.hotfix_messages import SIGNATURE

Pipeline = Literal["development", "staging", "production", "hotfix"]
Event = Mapping[str, Any]
# What GitHub accepts as the name of a branch, a tag or a user is shorter.
_LONGEST = 255
_PULLS = ("opened", "reopened", "synchronize")
_OWN = re.compile(rf"^{re.escape(SIGNATURE)} \S+\s*\Z", re.M)


@dataclass(frozen=True, slots=True)
class Source:
    """Where events may come from: `repository` is `owner/name`, `branch` the main branch."""

    repository: str
    branch: str


@dataclass(frozen=True, slots=True)
class Start:
    """A run to start. `parameters` are the flow's, plain values.

    A newer start with the same `line` takes the place of one that still waits in a queue; none does where it is "".
    """

    pipeline: Pipeline
    parameters: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    line: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that starts nothing, and why, as a sentence."""

    reason: str


class _Odd(Exception):
    """The event lacks something that GitHub always sends."""


def decide(name: str, event: Event, source: Source) -> Start | Ignored:
    """What the event `name` (GitHub's X-GitHub-Event) starts. Never raises, whatever the event holds."""
    rule = _RULES.get(name)
    if rule is None:
        return Ignored(f"events of the kind {name[:40]!r} start nothing.")
    try:
        if _text(event, "repository", "full_name").lower() != source.repository.lower():
            return Ignored(f"it is not from {source.repository}.")
        return rule(event, source)
    except _Odd as odd:
        return Ignored(f"it has no usable {odd}.")


def _push(event: Event, source: Source) -> Start | Ignored:
    ref, actor = _text(event, "ref"), _text(event, "sender", "login")
    if not ref.startswith("refs/heads/"):
        return Ignored("only branches start a run; a tag is released by publishing its GitHub release.")
    if event.get("deleted") is not False:
        return Ignored("the branch was deleted.")
    if own(_text(event, "head_commit", "message", longest=None)):
        return Ignored("Tidegate made this commit itself.")
    branch = ref.removeprefix("refs/heads/")
    if branch == source.branch:
        return Start("staging", _waiting({"ref": branch, "actor": actor}), f"staging {branch}")
    if _fits(hotfix.branch, branch):
        return Start("hotfix", _waiting({"branch": branch, "severity": "critical", "actor": actor}))
    if _fits(branches.development_branch, branch):
        return Start("development", _waiting({"ref": branch, "actor": actor}), f"development {branch}")
    return Ignored(f"pushes to {branch} start nothing.")


def _pull_request(event: Event, source: Source) -> Start | Ignored:
    if event.get("action") not in _PULLS:
        return Ignored("only a pull request that is opened, reopened or gets new commits starts a run.")
    head, number = _text(event, "pull_request", "head", "ref"), _at(event, "pull_request", "number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise _Odd("pull_request.number")
    pull = branches.Pull(
        number=number,
        open=_at(event, "pull_request", "state") == "open",
        head=head,
        commit=_text(event, "pull_request", "head", "sha"),
        repository=_of_head(event),
        base=_text(event, "pull_request", "base", "ref"),
    )
    try:
        branches.check_pull(pull, source.repository)
    except Refused as refused:
        return Ignored(refused.what)
    actor = _text(event, "sender", "login")
    # Its branch's own push asks for the same commit: one of the two is enough while both still wait.
    return Start("development", _waiting({"ref": head, "pull": number, "actor": actor}), f"development {head}")


def _release(event: Event, source: Source) -> Start | Ignored:
    del source
    if event.get("action") != "published":
        return Ignored("only a release that is published starts a run.")
    if _at(event, "release", "draft") is not False or _at(event, "release", "prerelease") is not False:
        return Ignored("drafts and pre-releases do not go to production.")
    body = _at(event, "release", "body") or ""
    if not isinstance(body, str):
        raise _Odd("release.body")
    if own(body):
        return Ignored("Tidegate published this release itself: it is live already.")
    try:
        strategy = notes.strategy_of(body)
    except Refused:
        strategy = None  # the run reads the body too: it is refused there, where people see it
    tag, actor = _text(event, "release", "tag_name"), _text(event, "sender", "login")
    return Start("production", _waiting({"tag": tag, "strategy": strategy, "actor": actor}))


_RULES: Mapping[str, Callable[[Event, Source], Start | Ignored]] = {
    "push": _push,
    "pull_request": _pull_request,
    "release": _release,
}


def own(text: str) -> bool:
    """Whether Tidegate wrote this commit message or release: its last line names the run that did."""
    return _OWN.search(text) is not None


def _fits(rule: Callable[[str], object], branch: str) -> bool:
    try:
        rule(branch)
    except Refused:
        return False
    return True


def _waiting(parameters: dict[str, str | int | None]) -> dict[str, str | int | bool | None]:
    """Nobody is there to start it again: it waits for a release that is under way."""
    return {**parameters, "wait_for_lock": True}


def _of_head(event: Event) -> str | None:
    repository = _at(event, "pull_request", "head", "repo")
    return None if repository is None else _text(event, "pull_request", "head", "repo", "full_name")


def _at(event: Event, *path: str) -> Any:
    """What the event has there; None where it has nothing."""
    found: Any = event
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def _text(event: Event, *path: str, longest: int | None = _LONGEST) -> str:
    """The text there. Raises _Odd where there is none, or one longer than `longest` characters."""
    found = _at(event, *path)
    usable = isinstance(found, str) and found and (longest is None or len(found) <= longest)
    if not usable or (longest is not None and not found.isprintable()):
        raise _Odd(".".join(path))
    return str(found)
