from __future__ import annotations

import pytest

from release import records
from release.errors import Refused
from release.labels import release_labels, release_of
from release.model import Artifact, HelmRelease, Record

ARTIFACT = Artifact("1.4.0", "sha256:" + "0123456789abcdef" * 4, "c" * 40)
RECORD = Record(ARTIFACT, "green", 7, "abc", "2026-11-23T05:00:00+00:00", "run-1")


def test_a_record_survives_its_annotation() -> None:
    assert records.from_text(records.to_text(RECORD), "tidegate.dev/live") == RECORD


@pytest.mark.parametrize("text", ["", "{}", "[]", "no json", '{"version": "1.4.0", "slot": "red"}'])
def test_anything_else_is_refused_and_not_forgotten(text: str) -> None:
    with pytest.raises(Refused, match=r"tidegate\.dev/live"):
        records.from_text(text, "tidegate.dev/live")


def test_labels_of_a_helm_revision_are_read_back() -> None:
    labels = release_labels("shop", ARTIFACT, "abc")
    assert all(len(value) <= 63 for value in labels.values())
    helm = {"name": "shop-blue", "owner": "helm", "status": "deployed", "version": "3"}
    assert release_of({**helm, **labels}) == HelmRelease(
        "shop-blue", 3, "deployed", "1.4.0", ARTIFACT.digest[7:47], "c" * 40, "abc"
    )


def test_a_revision_without_our_labels_is_still_a_revision() -> None:
    assert release_of({"name": "x", "version": "1", "status": "failed"}) == HelmRelease("x", 1, "failed")
