from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from simulated import BLUE_GREEN, CANARY, Simulated, artifact, roll, want

from release import planning
from release.checks_made import Check
from release.gates import Gate, Standing


def released(minor: int, weights: tuple[int, ...] = ()) -> Simulated:
    region = Simulated()
    assert roll(region, want(minor, weights=weights)) == "done"
    return region


def test_steps_are_told_as_the_strategy_would_take_them() -> None:
    state = released(4).state
    rolling = planning.steps(state, want(5), "shop", 1800)
    assert rolling[0].startswith("shop-blue is upgraded in place")
    canary = planning.steps(state, want(5, weights=CANARY), "shop", 1800)
    assert canary[0] == "shop-green is filled beside shop-blue"
    assert " -> ".join(f"{weight} %" for weight in CANARY) in canary[2]
    assert "verdict" in canary[2]
    assert canary[-1] == "shop-blue is kept for 30 min"
    assert "verdict" not in planning.steps(state, want(5, weights=BLUE_GREEN), "shop", 60)[2]
    assert planning.steps(state, want(4), "shop", 60) == planning.NOTHING
    assert "installed" in planning.steps(Simulated().state, want(4, weights=CANARY), "shop", 60)[0]


def test_where_it_would_go_back_to() -> None:
    state, old = released(4).state, artifact(4)
    there = frozenset({old.digest})
    assert "by an upgrade in place" in planning.back_to(state, want(5), there)
    assert "one write of the weights" in planning.back_to(state, want(5, weights=BLUE_GREEN), frozenset())
    assert "could NOT go back" in planning.back_to(state, want(5), frozenset())
    assert planning.back_to(Simulated().state, want(5), there).startswith("nothing")
    # What is live already would go back to what was before it.
    again = released(4)
    assert roll(again, want(5)) == "done"
    assert f"v{old.version}" in planning.back_to(again.state, want(5), there)


def test_a_shut_gate_and_a_failing_check_are_why_it_would_be_refused() -> None:
    shut = Gate("freeze", False, "nothing is released on Fridays.")
    standing = Standing("refused", (Gate("branch", True, "fine"), shut), next_step="Wait.")
    checks = (Check("way back", False, "none", "Stage it."), Check("migrations", True, "none"))
    assert planning.refusals(standing, checks) == (
        ("freeze: nothing is released on Fridays.", "Wait."),
        ("way back: none", "Stage it."),
    )


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0, 1000), min_size=1), st.floats(0, 100))
def test_a_release_lasts_as_long_as_its_slowest_regions(regions: dict[str, float], around: float) -> None:
    waves = (("a",), ("b", "c", "d"))
    found = planning.expected(waves, regions, around)
    assert found is not None
    assert around <= found <= around + 2 * max(regions.values()) + 1e-6
    assert found >= around + max(regions.values()) - 1e-6
    assert planning.expected(waves, {}, around) is None


def test_a_median_is_the_middle() -> None:
    assert (planning.median([]), planning.median([3]), planning.median([9, 1, 4]), planning.median([1, 4])) == (
        0.0,
        3,
        4,
        2.5,
    )


def test_a_plan_reads_well() -> None:
    region = planning.region_plan(released(4).state, want(5), "shop", 60, frozenset())
    found = planning.Plan(
        "v1.5.0", "production", "", "rolling", "sha256:1", "c" * 40, (("a",), ("b", "c")), (region,), ()
    )
    text = planning.markdown(found)
    for part in (
        "# v1.5.0 to production, rolling",
        "Waves: a, then b + c",
        "1. shop-blue is upgraded",
        "Goes back to: v1.4",
    ):
        assert part in text
