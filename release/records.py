"""A Record as the text of an annotation, and back."""

from __future__ import annotations

import json

from release.errors import Refused
from release.model import SLOTS, Artifact, Record, Retirement


def to_text(record: Record) -> str:
    """One line of JSON, keys in order."""
    artifact = record.artifact
    return json.dumps(
        {
            "version": artifact.version,
            "digest": artifact.digest,
            "commit": artifact.commit,
            "slot": record.slot,
            "revision": record.revision,
            "config": record.config,
            "at": record.at,
            "run": record.run,
        }
    )


def from_text(text: str, field: str) -> Record:
    """The record that `to_text` wrote. Raises Refused naming `field`, the annotation, for anything else.

    It is not read as "nothing was recorded": that would lose the last good version without a word.
    """
    try:
        data = json.loads(text)
        artifact = Artifact(str(data["version"]), str(data["digest"]), str(data["commit"]))
        slot = SLOTS[SLOTS.index(data["slot"])]
        return Record(artifact, slot, int(data["revision"]), str(data["config"]), str(data["at"]), str(data["run"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(
            "The annotation does not hold a record that Tidegate wrote.",
            field=field,
            next_step="Mend it, or remove it from the HTTPRoute if what it said is known.",
        ) from error


def retirement_to_text(kept: Retirement) -> str:
    """One line of JSON."""
    return json.dumps({"slot": kept.slot, "revision": kept.revision, "due": kept.due})


def retirement_from_text(text: str) -> Retirement | None:
    """What `retirement_to_text` wrote; None for anything else: then nothing is removed by itself."""
    try:
        data = json.loads(text)
        return Retirement(SLOTS[SLOTS.index(data["slot"])], int(data["revision"]), str(data["due"]))
    except (KeyError, TypeError, ValueError):
        return None
