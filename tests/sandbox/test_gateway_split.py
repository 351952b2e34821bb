from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from sandbox.gateway.split import RandomSplit, SmoothSplit, of, smooth, spread


def test_smooth_shares_are_exact():
    drawn = Counter(islice(smooth((90, 10)), 5000))
    assert drawn == {0: 4500, 1: 500}


@pytest.mark.parametrize("weights", [(1, 1), (90, 10), (5, 1, 1), (33, 67), (0, 100)])
def test_every_stretch_of_a_smooth_split_has_its_share(weights):
    drawn = list(islice(smooth(weights), 1000))
    for index, weight in enumerate(weights):
        for start in range(0, 900, 37):
            part = drawn[start : start + 100].count(index)
            assert abs(part - 100 * weight / sum(weights)) <= 2


def test_a_change_of_weights_starts_afresh():
    split = SmoothSplit()
    first = [split.pick("r", (9, 1)) for _ in range(7)]
    split.pick("r", (1, 1))
    assert [split.pick("r", (9, 1)) for _ in range(7)] == first


def test_keys_have_states_of_their_own():
    split = SmoothSplit()
    assert [split.turn(key, 2) for key in "aabb"] == [0, 1, 0, 1]


@pytest.mark.parametrize("split", [SmoothSplit(), RandomSplit(1)])
def test_no_weight_is_no_choice(split):
    assert split.pick("r", (0, 0)) is None
    assert split.pick("r", ()) is None


@pytest.mark.parametrize("rate", [0.05, 0.06, 0.2, 1 / 3, 1.0])
def test_errors_are_spread_evenly(rate):
    drawn = list(islice(spread(rate), 3000))
    assert abs(sum(drawn) - 3000 * rate) <= 1
    assert abs(sum(drawn[:300]) - 300 * rate) <= 1


def test_random_is_by_weight_and_by_seed():
    drawn = [of("random", 7).pick("r", (90, 10)) for _ in range(1)]
    split, same = RandomSplit(7), RandomSplit(7)
    many = [split.pick("r", (90, 10)) for _ in range(5000)]
    assert many[:1] == drawn
    assert many == [same.pick("r", (90, 10)) for _ in range(5000)]
    assert 400 < many.count(1) < 600
    assert 150 < sum(split.fails("v", 0.05) for _ in range(5000)) < 350
    assert {split.turn("p", 3) for _ in range(50)} == {0, 1, 2}
