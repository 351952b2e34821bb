"""The gates, by a clock of the test's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from release.gates import Gates, Request, Standing, judge, needed
from release.gates_freeze import Freeze, ahead, freeze, frozen, moment
from release.gates_votes import Bound, Decision, Vote, bound_from
from release.people import Person

BERLIN = "Europe/Berlin"
WEEKEND = freeze("weekend", datetime(2026, 1, 2, 16, 0), "P2DT16H", BERLIN, "FREQ=WEEKLY;BYDAY=FR")
POLICY = Gates(2, 1800.0, "main", 86_400.0, (WEEKEND,), BERLIN)
PEOPLE = {
    name: Person(name, frozenset({"approve"}), slack=f"U{name}", github=f"{name}-gh") for name in ("ada", "bob", "eve")
} | {"sam": Person("sam", frozenset({"see"})), "olga": Person("olga", frozenset({"operate"}))}
BOUND = Bound(
    "production shop", "sha256:new", "canary", ("us", "eu"), dict.fromkeys(("us", "eu"), ("1.4.0", "sha256:old"))
)


def at(text: str) -> float:
    return moment(text, BERLIN).timestamp()


TUESDAY = at("2026-11-24T10:00")


def request(**changes: object) -> Request:
    return replace(Request("ada", True, TUESDAY, BOUND, True), **changes)  # type: ignore[arg-type]


def vote(person: str, decision: Decision = "approve", when: float = TUESDAY + 60, bound: Bound = BOUND) -> Vote:
    return Vote(person, decision, "looks good" if decision == "approve" else "not today", "cli", when, bound)


def stand(*votes: Vote, now: float = TUESDAY + 3600, policy: Gates = POLICY, **changes: object) -> Standing:
    return judge(policy, request(**changes), votes, PEOPLE, now)


def test_would_friday_17_05_be_refused() -> None:
    found = stand(vote("bob"), vote("eve"), now=at("2026-11-27T17:05"), at=at("2026-11-27T16:30"))
    assert found.word == "refused"
    assert "'weekend', which lasts until Mon 2026-11-30 08:00 CET" in found.reason
    assert "--break-glass" in found.next_step
    assert stand(vote("bob", when=at("2026-11-27T15:00")), vote("eve", when=at("2026-11-27T15:00")),
                 now=at("2026-11-27T15:59"), at=at("2026-11-27T14:00")).word == "passed"  # fmt: skip


@pytest.mark.parametrize(
    ("when", "opens"),
    [
        ("2026-03-28T12:00", "2026-03-30T08:00+02:00"),  # clocks go forward on the 29th
        ("2026-10-24T12:00", "2026-10-26T08:00+01:00"),  # and back on the 25th of October
        ("2026-11-27T16:00", "2026-11-30T08:00+01:00"),
        ("2026-11-30T07:59", "2026-11-30T08:00+01:00"),
    ],
)
def test_a_weekend_ends_on_monday_at_eight_whatever_the_clocks_do(when: str, opens: str) -> None:
    found = frozen((WEEKEND,), moment(when, BERLIN))
    assert found is not None
    assert found[1].isoformat(timespec="minutes") == opens


@pytest.mark.parametrize("when", ["2026-11-27T15:59", "2026-11-30T08:00", "2026-11-25T12:00", "2025-12-26T18:00"])
def test_outside_of_it_and_before_its_first_nothing_is_frozen(when: str) -> None:
    assert frozen((WEEKEND,), moment(when, BERLIN)) is None


def test_exact_hours_are_real_hours_and_days_are_days_of_the_calendar() -> None:
    hours = freeze("night", datetime(2026, 3, 28, 22, 0), "PT12H", BERLIN)
    day = freeze("day", datetime(2026, 3, 28, 22, 0), "P1D", BERLIN)
    inside = moment("2026-03-29T01:00", BERLIN)
    assert str(hours.ends_after(inside)) == "2026-03-29 11:00:00+02:00"
    assert str(day.ends_after(inside)) == "2026-03-29 22:00:00+02:00"


def test_windows_that_touch_are_one_and_the_first_is_named() -> None:
    party = freeze("party", datetime(2026, 11, 30, 8, 0), "PT4H", BERLIN)
    found = frozen((party, WEEKEND), moment("2026-11-28T12:00", BERLIN))
    assert found is not None
    assert (found[0].name, found[1].isoformat(timespec="minutes")) == ("weekend", "2026-11-30T12:00+01:00")


def test_a_rule_may_end_and_utc_is_understood() -> None:
    once = freeze("sale", datetime(2026, 11, 27), "P4D", BERLIN, "FREQ=YEARLY;UNTIL=20271201T000000Z")
    assert once.ends_after(datetime(2027, 11, 28, tzinfo=ZoneInfo("UTC"))) is not None
    assert once.ends_after(datetime(2028, 11, 28, tzinfo=ZoneInfo("UTC"))) is None


@pytest.mark.parametrize(
    ("rule", "duration", "zone", "says"),
    [
        ("FREQ=SOMETIMES", "P1D", BERLIN, "rrule or duration"),
        ("FREQ=MINUTELY", "P1D", BERLIN, "daily or rarer"),
        ("", "two days", BERLIN, "P2DT16H"),
        ("", "P", BERLIN, "longer than nothing"),
        ("", "P1D", "Mars/Olympus", "no time zone"),
    ],
)
def test_a_freeze_that_means_nothing_is_refused(rule: str, duration: str, zone: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        freeze("x", datetime(2026, 1, 1), duration, zone, rule)


def test_two_others_and_the_timer_let_it_pass() -> None:
    assert stand(vote("bob")).missing == 1
    both = (vote("bob"), vote("eve"))
    early = stand(*both, now=TUESDAY + 1799)
    assert (early.word, early.missing, early.until) == ("waiting", 0, TUESDAY + 1800)
    assert "1 s are left" in early.reason
    late = stand(*both, now=TUESDAY + 1800)
    assert (late.word, late.approvers) == ("passed", ("bob", "eve"))


def test_votes_come_before_the_timer() -> None:
    assert "must approve" in stand(now=TUESDAY + 1).reason


@pytest.mark.parametrize("name", ["ada", "Ada ", "Uada", "ada-gh"])
def test_who_asked_does_not_count_by_any_of_his_names(name: str) -> None:
    found = stand(vote("ada"), vote("bob"), requester=name)
    assert (found.word, found.missing) == ("waiting", 1)
    assert "who asked cannot approve" in found.reason


def test_the_same_person_twice_is_one_and_the_last_word_counts() -> None:
    assert stand(vote("bob"), vote("bob", when=TUESDAY + 90)).missing == 1
    assert stand(vote("bob"), vote("eve"), vote("bob", "reject", TUESDAY + 90)).word == "refused"
    assert stand(vote("bob", "reject"), vote("bob", when=TUESDAY + 90), vote("eve")).word == "passed"


def test_one_no_refuses_also_the_requesters_own() -> None:
    found = stand(vote("bob"), vote("ada", "reject"))
    assert (found.word, found.reason) == ("refused", "ada rejected it: not today")


def test_a_requester_whom_nobody_proved_takes_one_more() -> None:
    found = stand(vote("bob"), vote("eve"), proven=False, requester="unknown")
    assert (found.word, found.missing) == ("waiting", 1)
    assert "nobody proved who asked" in found.reason
    assert stand(vote("ada"), vote("bob"), vote("eve"), proven=False, requester="unknown").word == "passed"
    assert needed(Gates(), request(proven=False)) == 0


def test_somebody_without_the_role_or_unknown_does_not_count() -> None:
    assert stand(vote("bob"), vote("sam"), vote("mallory")).missing == 1


def test_a_vote_expires_and_so_does_the_waiting() -> None:
    late = TUESDAY + 86_500
    found = stand(vote("bob"), vote("eve"), now=late, at=late - 100)
    assert (found.missing, len(found.left_out)) == (2, 2)
    assert "it expired" in found.left_out[0]
    assert stand(now=TUESDAY + 86_401).word == "refused"


def test_another_release_went_live_meanwhile() -> None:
    now = replace(BOUND, live={**BOUND.live, "eu": ("1.4.1", "sha256:hotfix")})
    found = stand(vote("bob"), vote("eve"), bound=now)
    assert (found.word, found.missing) == ("waiting", 2)
    assert "eu had v1.4.0 live then and has v1.4.1 now" in found.reason
    assert stand(vote("bob", bound=now), vote("eve", bound=now), bound=now).word == "passed"


def test_its_own_half_way_done_is_nothing_that_moved() -> None:
    own = replace(BOUND, live={**BOUND.live, "us": ("1.5.0", "sha256:new")})
    assert stand(vote("bob"), vote("eve"), bound=own).word == "passed"


@pytest.mark.parametrize(
    "changes", [{"digest": "sha256:other"}, {"strategy": "rolling"}, {"regions": ("us",)}, {"break_glass": "fire"}]
)
def test_an_approval_is_for_what_it_was_given_for(changes: dict[str, object]) -> None:
    other = replace(BOUND, **changes)  # type: ignore[arg-type]
    assert stand(vote("bob"), vote("eve"), bound=other).missing == 2


def test_the_branch_cannot_be_argued_with() -> None:
    found = stand(vote("bob"), vote("eve"), on_branch=False)
    assert (found.word, found.reason) == ("refused", "the commit is not on main.")
    broken = replace(BOUND, break_glass="fire")
    assert stand(vote("ada", bound=broken), on_branch=False, break_glass="fire", bound=broken).word == "refused"


def test_broken_glass_takes_one_proven_person_in_a_freeze_and_no_timer() -> None:
    friday = at("2026-11-27T17:05")
    bound = replace(BOUND, break_glass="checkout is down")
    asked = {"break_glass": bound.break_glass, "bound": bound, "at": friday, "now": friday + 5}
    assert stand(**asked).word == "waiting"  # type: ignore[arg-type]
    assert stand(vote("bob", when=friday + 1, bound=bound), **asked).word == "waiting"  # type: ignore[arg-type]
    found = stand(vote("olga", when=friday + 1, bound=bound), requester="olga", **asked)  # type: ignore[arg-type]
    assert (found.word, found.approvers) == ("passed", ("olga",))
    assert any("broken: checkout is down" in gate.detail for gate in found.gates)


def test_without_gates_it_passes_at_once() -> None:
    assert stand(now=TUESDAY, policy=Gates(), proven=False).word == "passed"


def test_what_is_bound_survives_being_written_down() -> None:
    assert bound_from(BOUND.as_dict()) == BOUND
    assert isinstance(WEEKEND, Freeze)


def test_freezes_ahead_are_told_with_the_one_that_is_open() -> None:
    now = moment("2026-11-27T17:05", BERLIN)
    once = freeze("inventory", datetime(2026, 12, 1, 8, 0), "PT2H", BERLIN)
    over = freeze("long ago", datetime(2026, 1, 1, 8, 0), "PT2H", BERLIN)
    found = [(one.name, begin.isoformat(), end.isoformat()) for one, begin, end in
             ahead((WEEKEND, once, over), now, now + timedelta(days=8))]  # fmt: skip
    assert found == [
        ("weekend", "2026-11-27T16:00:00+01:00", "2026-11-30T08:00:00+01:00"),
        ("inventory", "2026-12-01T08:00:00+01:00", "2026-12-01T10:00:00+01:00"),
        ("weekend", "2026-12-04T16:00:00+01:00", "2026-12-07T08:00:00+01:00"),
    ]
    assert ahead((once,), now + timedelta(days=10), now + timedelta(days=20)) == []


def test_a_schedule_needs_the_usual_approvals_or_none_as_configured() -> None:
    assert needed(POLICY.by_schedule(), request()) == 2
    free = replace(POLICY, scheduled="none").by_schedule()
    assert stand(policy=free).word == "passed"
    assert stand(policy=free, on_branch=False).word == "refused"
    assert stand(policy=free, now=TUESDAY + 60).word == "waiting", "the timer stays"
    assert needed(free, request(break_glass="it burns")) == 1
