"""The pull request that takes a version's change back on the main branch, after production gave the version back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release.errors import Refused
from release.quarantine import Harm
from release.versions import shown

# What takes a version back that came from the main branch; a hotfix never came to it.
_TAKES_BACK = ("production", "guard")
_AGAIN = "See `tidegate history`; only a production release that was taken back can be reverted."


@dataclass(frozen=True, slots=True)
class Revert:
    """What is to be reverted: `bad` is a commit, `good` the version that is live again. `run` is the release's id."""

    version: str
    bad: str
    good: str
    why: str
    digest: str
    run: str
    harm: tuple[Harm, ...] = ()

    @property
    def branch(self) -> str:
        return f"revert/{shown(self.version)}"

    @property
    def message(self) -> str:
        """The commit's: a fix, so that the next version is counted. A merged revert is staged as every push is, so
        its last line is not the one that Tidegate's own commits end with."""
        return f"fix: take {shown(self.version)} back\n\n{self.why}\n\nTaken back by run: {self.run}"


def of_outcome(run: str, told: object) -> Revert:
    """The revert of a run, from what the run told at its end. Raises Refused for a run that took nothing back."""
    if not isinstance(told, Mapping) or told.get("pipeline") not in _TAKES_BACK or told.get("word") != "recovered":
        word = told.get("word", "nothing") if isinstance(told, Mapping) else "nothing"
        raise Refused(f"run {run[:8]} ended as {word}: there is nothing to revert.", field="run", next_step=_AGAIN)
    back = [str(one["version"]) for one in told.get("regions") or () if one.get("outcome") == "recovered"]
    if not back:
        raise Refused(f"run {run[:8]} does not say what is live again.", field="run", next_step=_AGAIN)
    harm = tuple(Harm(**one) for one in told.get("harm") or ())
    version, commit, digest = (str(told.get(key, "")) for key in ("version", "commit", "digest"))
    return Revert(version, commit, back[0], str(told.get("reason", "")), digest, run, harm)


def pull_request(revert: Revert, who: str, page: str) -> tuple[str, str]:
    """Title and text. `page` is the run's address, empty without one."""
    version, good = shown(revert.version), shown(revert.good)
    lines: list[Any] = [
        f"{version} was taken back from production, which is on {good} again.",
        "",
        f"**Why:** {revert.why}",
        "",
        *(f"- {one}" for one in revert.harm),
        "",
        f"This takes back what {version} changed since {good}; what came to the branch after it stays. "
        f"Its image {revert.digest[:19]} is quarantined.",
        "",
        f"Opened for {who} by `tidegate revert`. Tidegate run: {f'[{revert.run[:8]}]({page})' if page else revert.run}",
    ]
    return f"Revert {version}: it was taken back from production", "\n".join(lines)
