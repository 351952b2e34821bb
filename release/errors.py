"""What can go wrong, named by what the caller does about it.

TidegateError            1    our own fault
├── Refused              2    the request is wrong, or a gate says no: nothing was done
├── Failed               3    tests or build failed, or the release was bad and was brought back
├── Halted               4    nothing safe is left to do by itself: a person is paged
└── Unavailable          5    an outside system did not answer: the only kind that is retried
"""

from __future__ import annotations

from typing import ClassVar


class TidegateError(Exception):
    """An error for a person: what happened, where, and what to do next.

    `what` and `next_step` are plain sentences without secrets; `region` and `field` name the place.
    """

    exit_code: ClassVar[int] = 1
    outcome: ClassVar[str] = "failed"

    def __init__(
        self, what: str, *, region: str | None = None, field: str | None = None, next_step: str | None = None
    ) -> None:
        self.what = what
        self.region = region
        self.field = field
        self.next_step = next_step
        super().__init__(what, region, field, next_step)

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.region, self.field) if part)
        text = f"{place}: {self.what}" if place else self.what
        return f"{text} Next: {self.next_step}" if self.next_step else text

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.region, self.field, self.next_step)


def _rebuild(
    kind: type[TidegateError], what: str, region: str | None, field: str | None, next_step: str | None
) -> TidegateError:
    return kind(what, region=region, field=field, next_step=next_step)


class Refused(TidegateError):
    """The request breaks a rule; `field` names what to change."""

    exit_code = 2
    outcome = "refused"


class Failed(TidegateError):
    """Tests or the build failed and nothing changed, or a bad release was brought back.

    `condemns` says that the version is to blame: it is then quarantined, once it is taken back.
    """

    exit_code = 3
    outcome = "failed"
    condemns: ClassVar[bool] = True


class Spared(Failed):
    """The release cannot go on and is brought back, and the version is not to blame: a person, the cluster or an
    outside system is."""

    condemns = False


class Halted(TidegateError):
    """Nothing safe is left to do by itself; a person must decide."""

    exit_code = 4
    outcome = "halted"


class Unavailable(TidegateError):
    """An outside system did not answer in time; trying again may help."""

    exit_code = 5
    outcome = "unavailable"
