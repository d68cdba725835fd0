"""Many readings as few: what must be among them."""

import random

import orjson
import pytest

from gateway.journal import Stored
from gateway.journal.condensing import MOST_BYTES_KEPT, MOST_LOOKED_AT, condense, condensed


def stored(seq, values):
    return Stored(seq, float(seq), orjson.dumps({"ts": float(seq), "values": values}))


def series(values):
    return [stored(seq, {"v": value}) for seq, value in enumerate(values, 1)]


def values(found, name="v"):
    return [orjson.loads(one.body)["values"][name] for one in found]


class Pages:
    """A journal of one device."""

    def __init__(self, readings):
        self.readings = readings
        self.bytes = 0

    def __call__(self, *, after, limit, most_bytes):
        found = []
        for one in [one for one in self.readings if one.seq < after][::-1][:limit]:
            found.append(one)
            self.bytes += len(one.body)
            if sum(len(one.body) for one in found[-200:]) > most_bytes:
                break
        return found


def test_what_fits_is_kept_whole():
    readings = series(range(5))
    assert condense(readings, 10_000) == readings


@pytest.mark.parametrize("seed", range(50))
def test_extremes_of_every_metric_and_the_newest_are_kept_in_order(seed):
    chance = random.Random(seed)
    names = [f"m{number}" for number in range(chance.randrange(1, 6))]
    readings = [
        stored(seq, {name: chance.randrange(-1000, 1000) for name in names if chance.random() < 0.9})
        for seq in range(1, chance.randrange(20, 3000))
    ]
    kept = condense(readings, chance.randrange(1, 5000))
    assert [one.seq for one in kept] == sorted({one.seq for one in kept})
    assert kept[-1] == readings[-1]
    assert set(kept) <= set(readings)
    for name in names:
        there = [orjson.loads(one.body)["values"].get(name) for one in readings]
        shown = [orjson.loads(one.body)["values"].get(name) for one in kept]
        numbers = [value for value in there if value is not None]
        assert min(numbers) in shown
        assert max(numbers) in shown


def test_more_is_kept_where_more_fits_and_about_as_much():
    readings = series(random.Random(1).choices(range(1000), k=5000))
    sizes = [sum(len(one.body) + 150 for one in condense(readings, budget)) for budget in (2_000, 8_000, 32_000)]
    for size, budget in zip(sizes, (2_000, 8_000, 32_000), strict=True):
        assert 0.7 * budget < size < 1.3 * budget


def test_a_door_that_was_open_for_one_reading_is_seen():
    readings = series([False] * 700 + [True] + [False] * 800)
    assert True in values(condense(readings, 1))


def test_text_alone_leaves_the_newest():
    readings = series(["a", "b"] * 500)
    assert condense(readings, 1) == readings[-1:]


def test_a_device_with_hundreds_of_metrics_stays_within_bounds():
    chance = random.Random(2)
    readings = [stored(seq, {f"m{n}": chance.random() for n in range(256)}) for seq in range(1, 400)]
    kept = condense(readings, 1)
    assert kept[-1] == readings[-1]
    assert sum(len(one.body) for one in kept) <= MOST_BYTES_KEPT + 10_000


def test_only_the_range_is_looked_at():
    readings = series(range(3000))
    view = condensed(Pages(readings), 100, 2500, 10**9)
    assert [one.seq for one in view.kept] == list(range(101, 2501))
    assert view.is_whole
    assert not view.cut


def test_what_is_gone_from_the_journal_is_not_missed():
    readings = series(range(3000))[2000:]
    view = condensed(Pages(readings), 100, 3000, 10**9)
    assert view.kept == readings
    assert not view.cut


def test_nothing_is_found_where_nothing_is():
    view = condensed(Pages([]), 5, 9, 1000)
    assert (list(view.kept), view.found) == ([], 0)


def test_the_far_past_is_not_looked_at():
    view = condensed(Pages(series(range(MOST_LOOKED_AT + 5000))), 0, MOST_LOOKED_AT + 5000, 4000)
    assert view.cut
    assert not view.is_whole
    assert view.found <= MOST_LOOKED_AT
    assert view.kept[0].seq > 5000


def test_great_readings_are_looked_at_less_far():
    pages = Pages([stored(seq, {"text": "x" * 20_000, "v": seq}) for seq in range(1, 2000)])
    view = condensed(pages, 0, 1999, 1000)
    assert view.cut
    assert pages.bytes < 3 * 2**20
    assert view.kept[-1].seq == 1999
