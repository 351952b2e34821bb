"""Whether a version is to blame for being taken back."""

from __future__ import annotations

import pickle

import pytest

from release import locking
from release.errors import Failed, Spared
from release.health import Bad
from release.locking import Holder, Recovering
from release.outcome import of_error


def test_only_what_the_versions_own_process_does_condemns_it() -> None:
    assert {cause for cause in ("CrashLoopBackOff", "NotReady") if Bad(cause, "").condemns} == {
        "CrashLoopBackOff",
        "NotReady",
    }
    for cause in ("ImagePullBackOff", "Unschedulable", "FailedCreate", "CreateContainerConfigError", "Timeout"):
        assert not Bad(cause, "").condemns


def test_who_is_spared_fails_all_the_same() -> None:
    error = Spared("no node")
    assert isinstance(error, Failed)
    assert not error.condemns
    assert of_error(error)[0] == "failed"
    assert Failed("it crashes").condemns
    assert not pickle.loads(pickle.dumps(Spared("no node", region="a"))).condemns


@pytest.mark.parametrize(
    "going",
    [
        Recovering("us-east-1: it crashes", True),
        Recovering("aborted by ada", False),
        Recovering("us-east-1: it crashes", True, ("us-east-1", "eu-west-1")),
    ],
)
def test_the_lock_tells_it_to_the_run_that_goes_on(going: Recovering) -> None:
    assert locking.recovering(Holder("run", "ada", "production v1.5.0", going.note)) == going


def test_other_notes_are_no_recovery() -> None:
    assert locking.recovering(None) is None
    assert locking.recovering(Holder("run", "ada", "production v1.5.0", "call me first")) is None
    long = Recovering("x" * 1000, True)
    assert len(long.note) == 500
    found = locking.recovering(Holder("run", "ada", "x", long.note))
    assert found is not None and found.condemned
