"""The text of many readings of one shape, to columns and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal.blocks import Row, unpack
from gateway.journal.making import packed
from gateway.journal.rows import Rows
from gateway.journal.texts import NEWLINE, columns_of, texts_of
from gateway.model import Value, encode_body
from tests.support.journals import START

NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), min_size=1, max_size=4, unique=True)
VALUES = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()


@given(NAMES, st.data())
def test_numbers_come_back_as_the_same_text(names: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.lists(VALUES, min_size=len(names), max_size=len(names)), min_size=1, max_size=9))
    bodies = [encode_body(START + n, dict(zip(names, row, strict=True))) for n, row in enumerate(rows)]
    columns = columns_of(bodies, names)
    assert columns is not None
    assert repr(columns) == repr([[START + n for n in range(len(rows))], *map(list, zip(*rows, strict=True))])
    assert texts_of(columns, names) == NEWLINE.join(bodies)


@pytest.mark.parametrize(
    "other", [{"a": 1}, {"b": 1, "a": 2}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}, {"a": 'x","b":1', "c": 2}, {}]
)
def test_another_shape_among_them_is_noticed(other: dict[str, Value]) -> None:
    bodies = [encode_body(START, {"a": 1, "b": 2}), encode_body(START, other), encode_body(START, {"a": 1, "b": 2})]
    assert columns_of(bodies, ["a", "b"]) is None


def test_marks_are_noticed() -> None:
    assert columns_of([encode_body(START, {"a": 1}, clock="unset")] * 2, ["a"]) is None


def test_texts_with_commas_take_the_other_way_and_come_back() -> None:
    assert texts_of([[START], ["x,y"]], ["note"]) is None
    rows = [
        Row(n, START + n, 0, encode_body(START + n, {"note": note, "n": n}))
        for n, note in enumerate([",", '","n":7', "\n", '"', "x,y"], 1)
    ]
    block = packed(Rows.of(rows))
    assert block.shapes == [(["note", "n"], {})]
    assert unpack(block) == rows
