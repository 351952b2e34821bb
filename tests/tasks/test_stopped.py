"""What stops a region for another's sake: the version is spared, here and where a region told it from afar."""

from __future__ import annotations

import pytest

from release import relay
from release.errors import Failed, Spared
from release.outcome import of_error
from tasks.stop import Aborted, Stopped


@pytest.mark.parametrize("error", [Aborted("aborted by ada"), Stopped("another failed")])
def test_who_is_stopped_fails_and_is_not_to_blame(error: Spared) -> None:
    assert isinstance(error, Failed)
    assert not error.condemns
    assert of_error(error)[0] == "failed"


@pytest.mark.parametrize(("error", "kind"), [(Stopped("another failed"), "Stopped"), (Aborted("by ada"), "Spared")])
def test_it_keeps_its_kind_and_its_words_on_its_way(error: Spared, kind: str) -> None:
    sent = relay.trouble(error, "us-east-1")
    assert sent.kind == kind
    again = sent.error()
    assert type(again) is Spared
    assert (again.what, again.field, again.next_step, again.region) == (
        error.what,
        error.field,
        error.next_step,
        "us-east-1",
    )
