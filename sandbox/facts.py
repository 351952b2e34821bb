"""What a scene looks at beside the live version: read from git, GitHub, the registry and the clusters themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from config import load
from release.errors import TidegateError
from sandbox import state, witness
from sandbox.shop.fastimport import git
from tasks import context

ENVIRONMENTS = ("development", "staging", "production")


@dataclass(frozen=True, slots=True)
class Fact:
    """`title` in a few words, and what finds out whether it is so; raises TidegateError where it is not there."""

    title: str
    found: Callable[[], Awaitable[bool]]

    async def holds(self) -> bool:
        try:
            return await self.found()
        except TidegateError:
            return False


def built(branch: str) -> Fact:
    """The registry has an image of the branch's commit."""

    async def found() -> bool:
        return await _image(branch) is not None

    return Fact("its image", found)


def deployed_nowhere(branch: str) -> Fact:
    """No region of any environment has a Ready pod of that image."""

    async def found() -> bool:
        serving = [await _digests(name) for name in ENVIRONMENTS]
        return await _image(branch) not in set().union(*serving)

    return Fact("deployed nowhere", found)


def serves(environment: str, branch: str) -> Fact:
    """All Ready pods of the environment, and at least one, have the image of the branch's commit."""

    async def found() -> bool:
        return await _digests(environment) == {await _image(branch)}

    return Fact("its image is live", found)


def tagged(tag: str, branch: str) -> Fact:
    """The annotated tag names the branch's commit."""

    async def found() -> bool:
        annotated = _git("cat-file", "-t", f"refs/tags/{tag}") == "tag"
        return annotated and _git("rev-parse", f"refs/tags/{tag}^{{commit}}") == _commit(branch)

    return Fact("annotated tag", found)


def published(tag: str) -> Fact:
    """GitHub has a release of the tag, with something to read."""

    async def found() -> bool:
        async with await context.required_github() as github:
            release = await github.release(tag)
        return release is not None and not release.draft and bool(release.body.strip())

    return Fact("GitHub release", found)


def merged(head: str, base: str) -> Fact:
    """The branch `base` holds all of the branch `head`."""

    async def found() -> bool:
        return _git("merge-base", f"refs/heads/{base}", f"refs/heads/{head}") == _commit(head)

    return Fact(f"merged into {base}", found)


async def _digests(environment: str) -> set[str]:
    regions = await witness.regions(environment)
    return {digest for region in regions.values() for digest in region["digest"].split(", ")}


async def _image(branch: str) -> str | None:
    """The digest of development's image of the branch's commit."""
    async with await context.registry() as registry:
        manifest = await registry.manifest(f"dev-{_commit(branch)}")
    return manifest.digest if manifest else None


def _commit(branch: str) -> str:
    return _git("rev-parse", f"refs/heads/{branch}")


def _git(*words: str) -> str:
    return git(state.folder(load.home()) / "git" / "shop.git", *words).strip()
