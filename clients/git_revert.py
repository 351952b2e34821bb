"""Taking a version's change back on a branch: a commit of its own, pushed under a name of its own."""

from __future__ import annotations

from clients.git import Repository
from clients.gitcommand import explain
from release.errors import Refused

_WHO = {f"GIT_{role}_NAME": "Tidegate" for role in ("AUTHOR", "COMMITTER")}
_WHO |= {f"GIT_{role}_EMAIL": "tidegate@localhost" for role in ("AUTHOR", "COMMITTER")}


async def revert(repository: Repository, branch: str, bad: str, good: str, message: str) -> str:
    """A commit on top of `branch` that undoes what `bad` changed since `good`; what came after `bad` stays.

    It is in the mirror only. Raises Refused where `bad` is not on the branch, where nothing of it is left there, and
    where later commits changed the same lines.
    """
    tip = await repository.commit_of(f"refs/heads/{branch}")
    if not await repository.is_ancestor(bad, tip):
        raise Refused(f"{bad[:12]} is not on {branch}: there is nothing to revert.", field="run")
    # As if somebody had gone from the bad commit back to the good one, merged into what the branch is now.
    back = await _commit(repository, f"{good}^{{tree}}", bad, message)
    merged = await repository.run("merge-tree", "--write-tree", tip, back, codes=range(256))
    if merged.code == 1:
        raise Refused(
            f"later commits of {branch} changed the same lines as {bad[:12]}.",
            field="run",
            next_step=f"Revert it by hand: `git revert --no-commit {good[:12]}..{bad[:12]}` on {branch}.",
        )
    if merged.code != 0:
        raise Refused("this git cannot merge without a work tree.", field="git", next_step="Install git 2.38 or newer.")
    tree = merged.stdout.split()[0]
    if tree == (await repository.run("rev-parse", f"{tip}^{{tree}}")).stdout.strip():
        raise Refused(f"nothing of {bad[:12]} is left on {branch}: it was reverted already.", field="run")
    return await _commit(repository, tree, tip, message)


async def push(repository: Repository, commit: str, branch: str) -> None:
    """Give a commit of the mirror a new branch at the origin; one that is there already is moved to it.

    Raises Refused where the credential may not push, and Unavailable where the origin does not answer.
    """
    words = ("push", "--quiet", "--force", repository.url, f"{commit}:refs/heads/{branch}")
    done = await repository.run(*words, timeout=60, codes=range(256))
    if done.code:
        raise explain(repository.url, done.stderr, repository.credential)


async def _commit(repository: Repository, tree: str, parent: str, message: str) -> str:
    whole = (await repository.run("rev-parse", "--verify", tree)).stdout.strip()
    words = ("commit-tree", whole, "-p", parent, "-m", message)
    return (await repository.run(*words, extra=_WHO)).stdout.strip()
