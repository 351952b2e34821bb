"""How a run ended, folded from what its regions report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from release.errors import TidegateError
from release.quarantine import Harm

Word = Literal["built", "released", "unchanged", "refused", "failed", "recovered", "drifted", "halted", "unavailable"]
EXIT_CODES: dict[Word, int] = {
    "built": 0,
    "released": 0,
    "unchanged": 0,
    "refused": 2,
    "failed": 3,
    "recovered": 3,
    "drifted": 3,
    "halted": 4,
    "unavailable": 5,
}
LOOK = "Look at `tidegate status`. The same command goes on where this run ended."
GOOD: frozenset[Word] = frozenset({"built", "released", "unchanged"})


@dataclass(frozen=True, slots=True)
class RegionResult:
    """One region of a run: `version` and `digest` are what is live there at the end, `seconds` its duration.

    `next_step` is what a person must decide, where it is halted. `share` is the percent of its users who were on a
    bad version when its way back began.
    """

    region: str
    outcome: Word
    version: str = ""
    digest: str = ""
    ready: int = 0
    seconds: float = 0.0
    reason: str = ""
    next_step: str = ""
    share: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run tells at its end. `version` is the one asked for; `reason` and `next_step` are sentences.

    `seconds` is the whole run, `locked` its part from winning the lock on (0 when that was never won), `recovery`
    its part from the decision that the version is bad until every changed region was dealt with. `committed` are the
    ISO 8601 times of the commits that it brought to users who did not have them yet. `window` is when the rollback
    window closes that a release left open (ISO 8601 UTC), `guard` who watches it: `worker`, else whoever began the run.
    `harm` is what a version that was taken back did to users, and `quarantined` that its digest is refused from now on.
    """

    pipeline: str
    word: Word
    version: str = ""
    strategy: str = ""
    digest: str = ""
    commit: str = ""
    reason: str = ""
    next_step: str = ""
    regions: tuple[RegionResult, ...] = ()
    seconds: float = 0.0
    run: str = ""
    warnings: tuple[str, ...] = field(default=())
    locked: float = 0.0
    recovery: float = 0.0
    committed: tuple[str, ...] = ()
    window: str = ""
    guard: str = ""
    harm: tuple[Harm, ...] = ()
    quarantined: bool = False

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.word]

    @property
    def good(self) -> bool:
        return self.word in GOOD

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """What `as_dict` gave, also by another version of Tidegate: what is unknown here is left out."""
        regions = tuple(RegionResult(**_known(RegionResult, one)) for one in data.get("regions", ()))
        harm = tuple(Harm(**_known(Harm, one)) for one in data.get("harm", ()))
        lists = {name: tuple(data.get(name, ())) for name in ("warnings", "committed")}
        return cls(**{**_known(cls, data), **lists, "regions": regions, "harm": harm})


def _known(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in data.items() if name in names}


def of_error(error: TidegateError) -> tuple[Word, str, str]:
    """An error as (outcome, reason, next step)."""
    word: Word = next((word for word in EXIT_CODES if word == error.outcome), "failed")
    place = ": ".join(part for part in (error.region, error.field) if part)
    return word, f"{place}: {error.what}" if place else error.what, error.next_step or ""


def of_crash(error: BaseException, *, begun: bool) -> tuple[Word, str, str]:
    """What nobody foresaw, as (outcome, reason, next step); `begun` says that an environment may be half changed."""
    ours = isinstance(error, Exception)
    word: Word = "halted" if begun else "failed" if ours else "refused"
    why = f"an error of Tidegate itself ({type(error).__name__}: {error})." if ours else "the run was ended."
    return word, why, LOOK if begun else "Start the same command again."


def halted(results: Sequence[RegionResult]) -> str:
    """Where it is halted and why, each reason once; empty where it is not."""
    where: dict[str, list[str]] = {}
    for result in results:
        if result.outcome == "halted":
            where.setdefault(result.reason, []).append(result.region)
    return " ".join(f"{', '.join(regions)}: {reason}" for reason, regions in where.items())


def after_recovery(recovered: Sequence[RegionResult]) -> Word:
    """A bad release's outcome: `recovered` when every changed region is back, `failed` when none was changed."""
    if any(result.outcome == "halted" for result in recovered):
        return "halted"
    return "recovered" if recovered else "failed"
