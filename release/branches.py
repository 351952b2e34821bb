"""What development builds: which branches and pull requests, and which of them is deployed."""

from __future__ import annotations

from dataclasses import dataclass

from release.errors import Refused

DEVELOP = "develop"
_FAMILIES = ("feature/", "bugfix/")


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request: `head` and `base` are branches, `commit` is the head's full SHA.

    `repository` is the `owner/name` that holds the head; None when that repository is gone.
    """

    number: int
    open: bool
    head: str
    commit: str
    repository: str | None
    base: str


def development_branch(ref: str) -> str:
    """The branch that `ref` names, when development builds it. Raises Refused naming `ref` and the rule."""
    branch = ref.removeprefix("refs/heads/")
    if branch == DEVELOP or any(branch.startswith(family) and branch != family for family in _FAMILIES):
        return branch
    raise Refused(
        f"development builds feature/**, bugfix/** and {DEVELOP}, and {ref!r} is none of them.",
        field="ref",
        next_step="Rename the branch, or open a pull request to develop and give its number with --pull.",
    )


def check_pull(pull: Pull, repository: str) -> None:
    """Raises Refused unless it is an open pull request to develop from a branch of `repository` itself."""
    field = "pull"
    if not pull.open:
        raise Refused(f"pull request {pull.number} is closed.", field=field, next_step="Reopen it.")
    if pull.base != DEVELOP:
        raise Refused(
            f"pull request {pull.number} is to {pull.base}; development builds those to {DEVELOP}.",
            field=field,
            next_step=f"Let it be merged into {DEVELOP}, on its page at GitHub.",
        )
    if pull.repository is None or pull.repository.lower() != repository.lower():
        raise Refused(
            f"pull request {pull.number} comes from a fork ({pull.repository or 'one that is gone'}): whoever wrote it "
            "could read the credentials of the machine that builds it, so a fork is never built or run here.",
            field=field,
            next_step=f"Read it, then push it as a branch feature/... of {repository} yourself.",
        )


def deployed(branch: str) -> bool:
    """Whether a build of this branch is brought to the development environment; the others are only built."""
    return branch == DEVELOP
