from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from environments import PRODUCTION

from release import messages, outcome, plan, values, verification
from release.environment import Judged, Provider, Strategy
from release.errors import Failed, Halted, Refused, TidegateError, Unavailable
from release.model import Artifact
from release.outcome import Outcome, RegionResult, Word
from release.versions import Version, parse_tag, parse_version

ARTIFACT = Artifact("1.4.0", "sha256:" + "a" * 64, "c" * 40)


def refusal(field: str) -> object:
    return pytest.raises(Refused, match=f"^{field}: ")


@pytest.mark.parametrize("text", ["1.4", "v1.4", "v1.4.0-rc1", "1.4.0", "v01.4.0", "v1.4.0 ", "v١.4.0", "", "latest"])
def test_only_release_tags_are_tags(text: str) -> None:
    with refusal("tag"):  # type: ignore[attr-defined]
        parse_tag(text)


def test_versions_are_ordered_as_numbers() -> None:
    assert parse_tag("v1.10.0") > parse_tag("v1.9.9")
    assert str(parse_version("1.4.0")) == "1.4.0" and Version(1, 4, 0).tag == "v1.4.0"


def test_a_strategy_is_known_or_refused() -> None:
    assert plan.strategy("rolling") == "rolling"
    with refusal("strategy"):  # type: ignore[attr-defined]
        plan.strategy("big-bang")


def test_waves_keep_their_order_when_regions_are_chosen() -> None:
    assert plan.waves(PRODUCTION) == (("us-east-1",), ("eu-west-1", "ap-southeast-1"))
    assert plan.waves(PRODUCTION, ["ap-southeast-1"]) == (("ap-southeast-1",),)
    with pytest.raises(Refused, match="no region 'mars'"):
        plan.waves(PRODUCTION, ["mars"])


def test_production_takes_only_what_staging_verified_for_that_commit() -> None:
    record = verification.record(ARTIFACT, at="2026-01-01T00:00:00Z", run="r")
    assert verification.artifact_of(record, Version(1, 4, 0), ARTIFACT.commit) == ARTIFACT
    with pytest.raises(Refused, match="never verified v1.4.0"):
        verification.artifact_of(None, Version(1, 4, 0), ARTIFACT.commit)
    with pytest.raises(Refused, match="as 1.4.0, not v1.5.0"):
        verification.artifact_of(record, Version(1, 5, 0), ARTIFACT.commit)


def test_values_name_secrets_and_never_hold_them() -> None:
    found = values.of_slot(PRODUCTION, PRODUCTION.regions["us-east-1"], "shop", "blue")
    assert found["secret"] == {"name": "shop-secrets", "keys": ["API_KEY", "DB_PASSWORD", "PROD_API_KEY"]}
    assert found["rolling"] == {"maxUnavailable": "25%", "maxSurge": "25%"}
    assert found["progressDeadlineSeconds"] == PRODUCTION.rolling.timeout
    with_image = values.with_image(found, "registry/shop", ARTIFACT)
    assert with_image["image"] == {"repository": "registry/shop", "digest": ARTIFACT.digest}


def test_the_fingerprint_is_of_the_values_and_not_of_slot_region_or_image() -> None:
    us, eu = (PRODUCTION.regions[name] for name in ("us-east-1", "eu-west-1"))
    one = values.of_slot(PRODUCTION, us, "shop", "blue")
    assert values.fingerprint(one) == values.fingerprint(values.of_slot(PRODUCTION, eu, "shop", "green"))
    assert values.fingerprint(one) == values.fingerprint(values.with_image(one, "registry/shop", ARTIFACT))
    assert values.fingerprint(one) != values.fingerprint({**one, "replicas": 11})
    hotfix = replace(PRODUCTION, rolling=replace(PRODUCTION.rolling, max_surge="50%", timeout=300))
    assert values.fingerprint(one) == values.fingerprint(values.of_slot(hotfix, us, "shop", "blue"))


@pytest.mark.parametrize(("error", "code"), [(Refused, 2), (Failed, 3), (Halted, 4), (Unavailable, 5)])
def test_every_error_has_its_exit_code_and_survives_a_process(error: type[TidegateError], code: int) -> None:
    raised = error("it broke.", region="us-east-1", field="tag", next_step="mend it.")
    assert str(raised) == "us-east-1: tag: it broke. Next: mend it."
    word, reason, next_step = outcome.of_error(raised)
    assert (outcome.EXIT_CODES[word], reason, next_step) == (code, "us-east-1: tag: it broke.", "mend it.")
    assert str(pickle.loads(pickle.dumps(raised))) == str(raised)


def test_a_recovery_that_is_stuck_anywhere_is_a_halt() -> None:
    back, stuck = RegionResult("a", "recovered"), RegionResult("b", "halted")
    assert outcome.after_recovery([back]) == "recovered"
    assert outcome.after_recovery([back, stuck]) == "halted"
    assert outcome.after_recovery([]) == "failed"


def test_people_are_told_what_happened_where_and_what_to_do() -> None:
    regions = (RegionResult("us-east-1", "recovered", "1.4.0", ARTIFACT.digest, 10, 2.0),)
    ended = Outcome("production", "recovered", "1.5.0", "rolling", reason="it crashed.", regions=regions)
    text = messages.incident(ended, "ana", "@oncall")
    for part in ("v1.5.0", "rolling", "it crashed.", "us-east-1 is on v1.4.0", "<!here> @oncall", "ana", "Next:"):
        assert part in text
    assert "1.5.0" in messages.released(ended, "ana") and "us-east-1 (2.0 s)" in messages.released(ended, "ana")
    failed = messages.staging_failed("1.5.0", "c" * 40, "ana", ended)
    for part in ("v1.5.0", "c" * 12, "ana", "it crashed.", "brought back"):
        assert part in failed


@pytest.mark.parametrize(("seconds", "text"), [(0.84, "0.8 s"), (41.6, "42 s"), (185, "3 min 5 s")])
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert messages.duration(seconds) == text


@pytest.mark.parametrize(
    ("strategy", "provider", "url", "field"),
    [
        ("canary", "gateway", None, "monitoring.metrics"),
        ("canary", "json", "http://m.test", "production.yaml: verdict.provider"),
        ("canary", "prometheus", "http://m.test", None),
        ("blue-green", "json", None, None),
        ("rolling", "gateway", None, None),
    ],
)
def test_a_canary_that_nobody_could_judge_is_refused(
    strategy: Strategy, provider: Provider, url: str | None, field: str | None
) -> None:
    where = replace(PRODUCTION, judged=Judged(provider=provider))
    if field is None:
        plan.require_judged(where, strategy, url)
        return
    with pytest.raises(Refused) as error:
        plan.require_judged(where, strategy, url)
    assert error.value.field == field
    assert error.value.next_step


@pytest.mark.parametrize(("word", "fails"), [("failed", True), ("halted", True), ("refused", False)])
def test_a_guard_that_could_not_look_says_nothing_of_the_version(word: Word, fails: bool) -> None:
    text = messages.in_window(Outcome("guard", word, version="1.5.0", reason="there is no address"), "ana", "@oncall")
    assert ("fails users" in text) == fails
    assert "v1.5.0" in text and "there is no address" in text and "@oncall" in text
