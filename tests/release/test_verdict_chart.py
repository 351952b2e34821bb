"""The drawn course, and the text that it is drawn from."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from verdict_world import World

from release.verdict import Entry, Kind, Policy, advance, observe, sketch, start
from release.verdict.chart import NARROW, draw, picture
from release.verdict.record import Stored, dump, load
from release.verdict.series import changes, points

POLICY = Policy(latency=None)


def seen(seconds: int = 200) -> list[Entry]:
    """A canary that is good at 10 % and bad at 25 %."""
    world, entries, state = World(rps=100), [], start(POLICY)
    for second in range(seconds):
        world._serve(1)
        world.now += 1
        world.weight = 0 if second < 30 else 10 if second < 90 else 25
        world.bad = 0.3 if second >= 90 else 0.005
        state, entry = observe(state, world.sample(), world.weight, world.now)
        state, verdict = advance(state, entry)
        entries.append(entry)
        if verdict.action is Kind.ROLLBACK:
            break
    return entries


def test_the_picture_is_valid_and_readable_on_both_grounds() -> None:
    text = draw(POLICY, seen(), "us-east-1: 1.5.0 <beside> 1.4.2")
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    assert "prefers-color-scheme:dark" in text
    words = " ".join(each.text or "" for each in root.iter() if each.tag.endswith("text"))
    for wanted in ("0%", "10%", "25%", "rolls back: 1000:1", "advances: 20:1", "ROLLBACK after", "<beside>"):
        assert wanted in words
    assert "nan" not in text
    assert "inf" not in text.replace("infinity", "")


def test_of_a_long_time_before_the_last_minute_is_drawn() -> None:
    before = [Entry(now, 0, replace(seen(1)[0].block, seconds=5.0)) for now in range(-600, 0, 5)]
    found = points(POLICY, [*before, *seen()])
    first = next(point for point in found if point.weight)
    assert (found[0].at, found[0].weight) == (0, 0)
    assert 55 <= first.at <= 65


def test_a_phones_picture_keeps_all_its_words_within_its_frame() -> None:
    text = draw(POLICY, seen(), "v1.5.0 beside v1.4.2 in us-east-1", frame=NARROW)
    root = ET.fromstring(text)
    assert root.attrib["viewBox"] == f"0 0 {NARROW.width} {NARROW.height}"
    for one in root.iter("{http://www.w3.org/2000/svg}text"):
        left, wide = float(one.attrib["x"]), 6.6 * len(one.text or "")
        begin = left - wide if one.attrib["text-anchor"] == "end" else left
        assert begin >= -12 and begin + wide <= NARROW.width + 12, one.text
        assert float(one.attrib["y"]) < NARROW.height, one.text


def test_a_sketch_of_a_course_is_drawn_much_like_the_course() -> None:
    whole = points(POLICY, seen())
    last = whole[-1].verdict
    rows = sketch.sketch(whole)
    facts = {"needed": last.needed, "wanted": last.wanted, "kind": str(last.kind), "sentence": last.sentence}
    again = sketch.points(json.loads(json.dumps(facts | {"points": rows})))
    long = sketch.sketch(points(POLICY, a_quiet_course(3000)))
    assert len(long) <= sketch.MOST + 3 and len(json.dumps(long)) < 8000
    assert [point.weight for point in changes(again)] == [0, 10, 25]
    assert (again[-1].at, again[-1].canary) == (whole[-1].at, pytest.approx(whole[-1].canary, abs=1e-5))
    assert last.sentence.split(";")[0][:60] in picture(again)
    with pytest.raises(ValueError, match="told verdict"):
        sketch.points({"points": [[1]]})


def test_nothing_seen_is_a_picture_too() -> None:
    assert "Nothing was judged." in draw(POLICY, [])
    assert ET.fromstring(draw(POLICY, seen(1))) is not None


def test_a_long_course_is_thinned_and_keeps_what_changed() -> None:
    long = points(Policy(latency=None), a_quiet_course(3000))
    assert len(long) < 1200
    assert [point.weight for point in changes(long)] == [0, 10]
    assert long[-1].at == 2999


def test_what_is_no_record_is_refused() -> None:
    for text in ("", "{}", '{"policy": {}}', '{"policy": 3}'):
        with pytest.raises(ValueError, match="stored verdict"):
            load(text)
    assert load(dump(Stored(POLICY, ()))).entries == ()


def a_quiet_course(seconds: int) -> list[Entry]:
    world, state, entries = World(rps=10, base=0.0, bad=0.0), start(POLICY), []
    for _ in range(seconds):
        world._serve(1)
        world.now += 1
        world.weight = 0 if world.now < 10 else 10
        state, entry = observe(state, world.sample(), world.weight, world.now)
        entries.append(entry)
    return entries
