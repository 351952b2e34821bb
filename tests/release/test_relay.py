"""What a release and a region tell each other arrives as it was said."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from release import relay
from release.errors import Failed, Halted, Refused, Spared, TidegateError, Unavailable
from release.outcome import RegionResult
from release.relay import Said, Told, Trouble
from release.steering import Order, Steering

HELD = Order("hold", "ada", "let us look", 12.5)


@pytest.mark.parametrize(
    "told",
    [
        Told(1.5),
        Told(2.0, "eu-west-1 failed", lost=True, steering=Steering(held=HELD), weights={"us-east-1": 25}),
    ],
)
def test_what_the_release_tells_arrives(told: Told) -> None:
    kind = TypeAdapter(Told)
    assert kind.validate_json(kind.dump_json(told)) == told


@pytest.mark.parametrize(
    "said",
    [
        Said(beat=3, reached=10),
        Said(failed=True, trouble=Trouble("Failed", "it crashes", "us-east-1", next_step="Mend it.")),
        Said(result=RegionResult("us-east-1", "released", "1.4.0", "sha256:1", 10, 2.5)),
    ],
)
def test_what_the_region_says_arrives(said: Said) -> None:
    kind = TypeAdapter(Said)
    assert kind.validate_json(kind.dump_json(said)) == said


class Broken(Refused):
    """A kind that the other side does not know."""


@pytest.mark.parametrize(
    ("error", "kind", "back"),
    [
        (Failed("bad"), "Failed", Failed),
        (Spared("not its fault"), "Spared", Spared),
        (Broken("no"), "Refused", Refused),
        (Halted("stuck", region="eu-west-1"), "Halted", Halted),
        (Unavailable("away", field="kubeconfig"), "Unavailable", Unavailable),
        (TidegateError("our own"), "Spared", Spared),
    ],
)
def test_an_error_keeps_its_kind_and_its_words(error: TidegateError, kind: str, back: type[TidegateError]) -> None:
    sent = relay.trouble(error, "us-east-1")
    assert sent.kind == kind
    again = sent.error()
    assert type(again) is back
    assert (again.what, again.field, again.next_step) == (error.what, error.field, error.next_step)
    assert again.region == (error.region or "us-east-1")


def test_a_region_has_a_queue_of_its_own() -> None:
    assert relay.queue("production", "eu-west-1") == "production-eu-west-1"
