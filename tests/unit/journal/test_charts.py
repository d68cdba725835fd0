"""Many readings of one metric as few: every peak is among them."""

import math
import random
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal import Queries, Stored
from gateway.journal.charts import Unpacked
from gateway.model import Reading, encode_body
from tests.support.journals import START, asking, entry, opened

READINGS = 6000
_SPIKES = {700: 90.0, 1500: -90.0, 2500: 91.0, 5900: -91.0}


def values(n: int) -> dict[str, object]:
    said: dict[str, object] = {"wave": round(20 + 5 * math.sin(n / 900), 2), "n": n, "on": n % 900 == 0, "word": "x"}
    if n in _SPIKES:
        said["wave"] = _SPIKES[n]
    if n % 3:
        del said["n"]
    return said


@pytest.fixture(scope="module", params=["in the log", "packed", "both", "jumping", "kept as they are"])
def queries(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queries]:
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    chance = random.Random(3)
    times = [START + n for n in range(READINGS)]
    if request.param == "jumping":
        chance.shuffle(times)
    blank = b" " if request.param == "kept as they are" else b""
    readings = [
        Reading("a", ts, {}, encode_body(ts, values(int(ts - START))).replace(b":", b":" + blank)) for ts in times
    ]
    with opened(path) as it:
        packed = {"in the log": 0, "both": 5000}.get(request.param, READINGS)
        it.put([entry(*readings[:packed], arrived=START)] if packed else [])
        it.pack()
        it.put([entry(*readings[packed:], arrived=START)] if packed < READINGS else [])
        yield asking(path, tails=it.journal.tails)


def chart(queries: Queries, metric: str, most: int, start: float | None = None, end: float | None = None):
    found = queries.chart("a", metric=metric, start_ts=start, end_ts=end, most=most)
    assert len(found) <= most
    assert [one.seq for one in found] == sorted({one.seq for one in found})
    by_ts = {one.ts - START: orjson.loads(one.body) for one in found}
    for n, body in by_ts.items():
        assert body == {"ts": START + n, "values": {metric: values(int(n))[metric]}}
    return {n: body["values"][metric] for n, body in by_ts.items()}


@pytest.mark.parametrize("most", [4, 50, 2000])
def test_a_chart_is_short_and_has_every_extreme(queries: Queries, most: int) -> None:
    found = chart(queries, "wave", most)
    assert min(found.values()) == -91.0
    assert max(found.values()) == 91.0
    if most > 10:
        assert set(_SPIKES) < set(found)


def test_it_has_the_first_and_the_last(queries: Queries) -> None:
    seqs = [stored.seq for stored in queries.after("a", 0, None, READINGS, 2**30)]
    found = queries.chart("a", metric="wave", start_ts=None, end_ts=None, most=20)
    assert (found[0].seq, found[-1].seq) == (seqs[0], seqs[-1])


@given(start=st.integers(-50, READINGS), length=st.integers(0, READINGS), most=st.integers(4, 500))
def test_a_range_is_met_exactly(queries: Queries, start: int, length: int, most: int) -> None:
    found = chart(queries, "wave", most, START + start, START + start + length)
    inside = {n: values(n)["wave"] for n in range(max(0, start), min(READINGS, start + length + 1))}
    assert set(found) <= set(inside)
    if inside:
        assert min(found.values()) == min(inside.values())
        assert max(found.values()) == max(inside.values())
    if len(inside) <= most // 2:
        assert found.keys() <= inside.keys()


def test_a_short_range_is_whole(queries: Queries) -> None:
    found = queries.chart("a", metric="n", start_ts=START, end_ts=START + 30, most=READINGS)
    assert {one.ts - START for one in found} == {float(n) for n in range(0, 31, 3)}


def test_types_stay_what_they_are(queries: Queries) -> None:
    assert {type(value) for value in chart(queries, "n", 100).values()} == {int}
    assert {type(value) for value in chart(queries, "on", 100).values()} == {bool}
    assert True in chart(queries, "on", 30).values()


def test_texts_and_what_nobody_said_make_no_chart(queries: Queries) -> None:
    assert chart(queries, "word", 100) == {}
    assert chart(queries, "nothing", 100) == {}
    assert queries.chart("nobody", metric="wave", start_ts=None, end_ts=None, most=9) == []


def test_of_long_ranges_few_blocks_are_unpacked(path: Path, monkeypatch) -> None:
    unpacked: list[object] = []
    with opened(path) as it:
        it.put([entry(*[Reading("a", START + n, {}, encode_body(START + n, values(n))) for n in range(20_000)])])
        it.pack()
        monkeypatch.setattr("gateway.journal.charts.Unpacked", lambda block: unpacked.append(block) or Unpacked(block))
        found: list[Stored] = asking(path).chart("a", metric="wave", start_ts=None, end_ts=None, most=20)
    assert len(unpacked) == 2
    assert {one.ts - START for one in found} > {2500.0, 5900.0}


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_zero_that_is_an_extreme_keeps_its_sign(path: Path, zero: float, sign: float) -> None:
    bodies = [encode_body(START + n, {"value": zero if n == 3000 else sign * (n % 9 + 0.5)}) for n in range(6 * 1024)]
    with opened(path) as it:
        it.put([entry(Reading("a", START + n, {}, body), arrived=START + n) for n, body in enumerate(bodies)])
        it.pack()
        found = asking(path).chart("a", metric="value", start_ts=None, end_ts=None, most=8)
    assert [one.body for one in found if one.seq == 3001] == [bodies[3000]]


@pytest.mark.parametrize("kind", [float, int])
def test_numbers_come_as_they_were_stored(path: Path, kind: type[float]) -> None:
    values = [kind(n * 37 % 1000) + (2**63 if kind is int else 0.0) for n in range(10 * 1024)]
    bodies = [encode_body(START + n, {"value": value}) for n, value in enumerate(values)]
    with opened(path) as it:
        it.put([entry(Reading("a", START + n, {}, body), arrived=START + n) for n, body in enumerate(bodies)])
        it.pack()
        found = asking(path).chart("a", metric="value", start_ts=None, end_ts=None, most=8)
    assert 4 <= len(found) <= 8
    assert all(one.body == bodies[one.seq - 1] for one in found)
