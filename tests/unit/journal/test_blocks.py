"""Readings come out of a block bit for bit as they went in."""

import zlib
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal.blocks import ARRIVED, METRICS, SHAPE, DamagedBlockError, Row, unpack
from gateway.journal.columns import decode, encode, extremes
from gateway.journal.making import packed
from gateway.journal.rows import Rows
from gateway.model import encode_body
from tests.support.journals import START

EXTREMES = st.sampled_from(
    [0, -1, 2**53 - 1, 2**53, 2**63 - 1, -(2**63), 0.0, -0.0, 1e308, -1e308, 5e-324, 0.1, 1 / 3, 21.55, True, False]
)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | EXTREMES
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = NUMBERS | TEXTS
SENSIBLE = st.decimals(-1000, 1000, places=2).map(float) | st.integers(-5, 5)
NAMES = st.sampled_from(["temperature", "humidity", "küche.ø", "", "ts"])
MARKS = st.sampled_from([{}, {}, {"clock": "unset"}, {"retained": True}, {"clock": "unset", "retained": True}])
TIMES = st.floats(0, 4e9) | st.floats(START, START + 1e5).map(lambda ts: round(ts, 6))


@st.composite
def readings(draw: st.DrawFn) -> list[Row]:
    """Draw readings as intake makes them."""
    values = draw(st.sampled_from([VALUES, SENSIBLE]))
    rows = []
    for seq in range(draw(st.integers(1, 10**6)), 1 + draw(st.integers(10**6, 10**6 + 12))):
        if len(rows) >= 12:
            break
        ts = draw(TIMES)
        arrived_ms = draw(st.just(int(ts * 1000)) | st.integers(0, 2**42))
        body = encode_body(ts, draw(st.dictionaries(NAMES, values, max_size=4)), **draw(MARKS))
        rows.append(Row(seq, ts, arrived_ms, body))
    return rows


def same(found: list[object], expected: list[object]) -> bool:
    """Compare with types, and with the signs of zeros."""
    return repr(found) == repr(expected)


@given(readings())
def test_readings_come_back_bit_for_bit(rows: list[Row]) -> None:
    assert same(unpack(packed(Rows.of(rows))), rows)


@given(st.lists(st.none() | VALUES, max_size=30) | st.lists(st.none() | SENSIBLE, max_size=30))
def test_columns_come_back_as_they_were(values: list[object]) -> None:
    assert same(decode(encode(values)), values)


@pytest.mark.parametrize("values", [[1.5, -0.0], [-0.0], [0.0, 1.0], [1e308, 0.5], [2**53, 1], [2**63, -1], [True, 1]])
def test_what_does_not_scale_exactly_stays_as_it_is(values: list[object]) -> None:
    assert same(decode(encode(values)), values)


@given(st.lists(st.tuples(TIMES, st.binary(max_size=30)), min_size=1, max_size=10))
def test_even_what_is_no_reading_comes_back(parts: list[tuple[float, bytes]]) -> None:
    rows = [Row(seq, ts, 0, body) for seq, (ts, body) in enumerate(parts, start=7)]
    assert same(unpack(packed(Rows.of(rows))), rows)


@pytest.mark.parametrize("body", [b'{"ts":1.0,"values":[1]}', b'{"ts":1.0,"values":"x"}', b"[]", b"1", b'{"ts":1.0}'])
def test_json_that_is_no_reading_comes_back(body: bytes) -> None:
    rows = [Row(1, 1.0, 0, body), Row(2, 1.0, 0, body)]
    assert unpack(packed(Rows.of(rows))) == rows


def test_bodies_that_only_together_are_json_come_back() -> None:
    rows = [Row(1, 1.0, 0, b'{"ts":1.0,"values":{}},{"a":[1'), Row(2, 2.0, 0, b'2],"ts":2.0,"values":{}}')]
    assert unpack(packed(Rows.of(rows))) == rows


def rows_of(values: list[dict[str, object]], at: float = START) -> list[Row]:
    return [
        Row(seq, at + seq, int((at + seq) * 1000), encode_body(at + seq, each)) for seq, each in enumerate(values, 1)
    ]


def test_regular_readings_take_a_column_each_and_nothing_else() -> None:
    block = packed(Rows.of(rows_of([{"temperature": 21.5 + n / 100, "n": n} for n in range(100)])))
    assert sorted(block.columns) == [0, METRICS, METRICS + 1]
    assert [named.column.scale for named in block.columns.values()] == [1, 2, 0]
    assert block.shapes == [(["temperature", "n"], {})]
    assert sum(len(named.column.data) for named in block.columns.values()) < 100


def test_irregular_readings_say_which_shape_they_have() -> None:
    rows = rows_of([{"a": 1} if n % 2 else {"b": 1, "a": 2} for n in range(9)])
    block = packed(Rows.of([row._replace(arrived_ms=5) for row in rows]))
    assert {SHAPE, ARRIVED} < set(block.columns)
    assert len(block.shapes) == 2


@pytest.mark.parametrize("each", [{f"m{n}": 1 for n in range(300)}, {"x": "y" * 250}])
def test_more_names_than_columns_are_kept_as_they_are(each: dict[str, object]) -> None:
    rows = rows_of([{f"{name} {n}": value for name, value in each.items()} for n in range(300)])
    block = packed(Rows.of(rows))
    assert block.shapes == []
    assert unpack(block) == rows


def test_extremes_are_of_numbers_and_booleans() -> None:
    assert extremes([3, None, 1, 7, 1]) == ("int", 1, 2, 7, 3, 12.0, 4)
    assert extremes([True, False]) == ("bool", False, 1, True, 0, 1.0, 2)
    assert extremes(["x", 2.5, None, 1]) == ("mixed", 1, 3, 2.5, 1, 3.5, 2)
    assert extremes(["x", None]) == ("mixed", None, 0, None, 0, 0.0, 0)
    assert extremes([2**63]).greatest == float(2**63)


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: data[:9] + b"x" + data[10:], lambda _: b""])
def test_a_damaged_column_is_told(damage) -> None:
    block = packed(Rows.of(rows_of([{"n": n * n} for n in range(100)])))
    named = block.columns[METRICS]
    torn = named._replace(column=named.column._replace(data=damage(named.column.data)))
    with pytest.raises(DamagedBlockError):
        unpack(replace(block, columns={**block.columns, METRICS: torn}))
    with pytest.raises(DamagedBlockError):
        unpack(replace(block, columns={0: block.columns[0]}))


def test_a_column_can_be_read_by_what_knows_json_and_zlib() -> None:
    column = encode([20.5, 20.7, None, 20.6])
    text = column.data if len(column.data) == column.size else zlib.decompress(column.data)
    assert orjson.loads(text) == [205, 2, None, -1]
    assert (column.scale, column.step) == (1, 0)
