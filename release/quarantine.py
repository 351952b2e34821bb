"""A version that was taken back is kept from every environment, by its digest, until a person lifts that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from release.errors import Refused
from release.model import Artifact
from release.versions import shown

PREFIX = "quarantine-"


@dataclass(frozen=True, slots=True)
class Harm:
    """What a bad version did to users in a region: so many of `requests` failed in `seconds`, while it had up to
    `weight` percent of them. The counts are None where nobody counted."""

    region: str
    seconds: float
    weight: int
    failing: int | None = None
    requests: int | None = None

    def __str__(self) -> str:
        counted = "failing requests were not counted"
        if self.failing is not None and self.requests is not None:
            counted = f"{self.failing} of {self.requests} requests failed"
        return f"{self.region}: {counted} in {self.seconds:.0f} s, with up to {self.weight} % of the users"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One entry: which image, why, since when (ISO 8601 UTC), by which run. `lifted_*` are empty until it is lifted."""

    artifact: Artifact
    why: str
    at: str
    run: str
    who: str
    harm: tuple[Harm, ...] = ()
    lifted_at: str = ""
    lifted_by: str = ""
    lifted_why: str = ""

    @property
    def lifted(self) -> bool:
        return bool(self.lifted_at)

    def as_dict(self) -> dict[str, Any]:
        """The record's payload."""
        return asdict(self) | {"kind": "quarantine"}


def tag_of(digest: str) -> str:
    """The registry tag under which an image's entry is kept."""
    return PREFIX + digest.removeprefix("sha256:")


def from_record(found: Mapping[str, Any] | None) -> Quarantined | None:
    """The entry that `as_dict` gave; None without one. Raises Refused for a record that is spoilt: an image that may
    be quarantined is not released."""
    if found is None:
        return None
    try:
        artifact, harm = Artifact(**found["artifact"]), tuple(Harm(**one) for one in found.get("harm") or ())
        kept = ("why", "at", "run", "who", "lifted_at", "lifted_by", "lifted_why")
        return Quarantined(artifact, harm=harm, **{key: str(found.get(key) or "") for key in kept})
    except (KeyError, TypeError) as error:
        raise Refused(
            "the registry holds a quarantine record that cannot be read.",
            field="digest",
            next_step="Look at it in the registry; removing its tag lifts the quarantine.",
        ) from error


def require_free(entry: Quarantined | None) -> None:
    """Raises Refused while the image is quarantined."""
    if entry is None or entry.lifted:
        return
    version, digest = shown(entry.artifact.version), entry.artifact.digest
    raise Refused(
        f"{version} ({digest[:19]}) is quarantined since {entry.at}: it was taken back. {entry.why}".rstrip(),
        field="digest",
        next_step=f"Release a version that mends it. Where it is not to blame: "
        f'`tidegate quarantine lift {digest[7:19]} --reason "..."`.',
    )


def lift(entry: Quarantined, who: str, why: str, at: str) -> Quarantined:
    """The entry lifted by a person. Raises Refused without a name or a reason, and where it is lifted already."""
    if not who.strip() or not why.strip():
        raise Refused("lifting a quarantine needs a name and a reason.", field="reason" if who.strip() else "who")
    if entry.lifted:
        raise Refused(
            f"{shown(entry.artifact.version)} is not quarantined: {entry.lifted_by} lifted it at {entry.lifted_at}.",
            field="digest",
        )
    return replace(entry, lifted_at=at, lifted_by=who.strip(), lifted_why=why.strip())


def find(entries: Sequence[Quarantined], asked: str) -> Quarantined:
    """The one entry that a person means by a digest, its beginning (with or without `sha256:`), or a tag vX.Y.Z.

    Raises Refused where there is none, or more than one.
    """
    wanted = asked.strip().removeprefix("sha256:")
    fitting = [one for one in entries if _meant(one, wanted)]
    active = [one for one in fitting if not one.lifted] or fitting
    if len(active) == 1:
        return active[0]
    said = f"{len(active)} images are meant by {asked!r}" if active else f"no image {asked!r} is quarantined"
    raise Refused(f"{said}.", field="digest", next_step="`tidegate quarantine list` shows what is.")


def _meant(entry: Quarantined, wanted: str) -> bool:
    digest = entry.artifact.digest.removeprefix("sha256:")
    return shown(entry.artifact.version) == wanted or (len(wanted) >= 4 and digest.startswith(wanted))
