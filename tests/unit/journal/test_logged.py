"""Many readings in a row of the log."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal import Queries
from gateway.journal.blocks import Row
from gateway.journal.logged import ROW, WHOLE, log_rows, rewrite, rows_at, take_apart
from gateway.journal.many import insert
from gateway.journal.schema import create
from gateway.model import encode_body
from tests.support.journals import START, entry, opened, reading

SIZES = st.lists(st.sampled_from([1, 50, 50, 50, 40_000]), max_size=200)


def said(sizes: list[int]) -> tuple[list[int], list[bytes]]:
    """Return heads and bodies of readings with a text of these sizes each."""
    heads = [number for n in range(len(sizes)) for number in (1 + n % 7, 100 + n, 10**12 + n * n)]
    return heads, [encode_body(START + n, {"text": "ø" * size}) for n, size in enumerate(sizes)]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        create(made)
        yield made


@given(SIZES)
def test_rows_hold_all_readings_and_are_never_large(sizes: list[int]) -> None:
    heads, bodies = said(sizes)
    rows = list(log_rows(7, heads, bodies, b"deliveries"))
    found = [take_apart(row) for row in rows]
    assert [number for one in found for number in one.heads()] == heads
    assert [body for one in found for body in one.bodies] == bodies
    assert [one.end for one in found[:-1]] == [one.first for one in found[1:]]
    assert found[-1].end == 7 + max(1, len(bodies))
    assert all(len(one.bodies) <= 64 for one in found)
    assert all(len(row[3]) <= 64 * 1024 or len(one.bodies) == 1 for row, one in zip(rows, found, strict=True))
    assert [row[-1] for row in rows] == [b"deliveries"] + [None] * (len(rows) - 1)


def put(connection: sqlite3.Connection, *commits: list[int]) -> list[Row]:
    """Write what each commit has as the journal would; return all."""
    number, found = 5, []
    for sizes in commits:
        heads, bodies = said(sizes)
        insert(connection, "log", ROW, list(log_rows(number, heads, bodies, b"of the commit")))
        number += len(bodies)
        found += [
            Row(seq, START + n, at, body)
            for n, (seq, at, body) in enumerate(zip(heads[1::3], heads[2::3], bodies, strict=True))
        ]
    return found


def test_readings_are_found_by_number(connection: sqlite3.Connection) -> None:
    rows = put(connection, [50] * 130, [1], [40_000] * 5, [1] * 3)
    for numbers in (range(5, 5 + len(rows)), [5], [5 + len(rows) - 1], [6, 70, 100, 134, 135, 138], [200, 9, 1, 10**9]):
        wanted = sorted(number - 5 for number in numbers)
        assert rows_at(connection, list(numbers)) == [rows[at] for at in wanted if 0 <= at < len(rows)]


def test_some_are_written_anew_and_all_others_stay(connection: sqlite3.Connection) -> None:
    rows = put(connection, [50] * 130, [1])
    grown = {at: rows[at]._replace(body=encode_body(rows[at].ts, {"a": "y" * 30_000})) for at in (0, 3, 5, 6, 130)}
    after = {rows[at]: row._replace(arrived_ms=9) for at, row in grown.items()}
    numbers = [5 + at for at in (0, 1, 3, 5, 6, 130)]
    assert rewrite(connection, numbers, lambda row: after.get(row, row)) == list(after.values())
    assert rows_at(connection, range(5, 136)) == [after.get(row, row) for row in rows]
    (deliveries,) = connection.execute("SELECT group_concat(deliveries) FROM log").fetchone()
    assert deliveries == "of the commit,of the commit"


def test_what_a_commit_brings_of_one_device_lies_together_and_in_order(path: Path) -> None:
    entries = [entry(*[reading(f"device {n * each % 50}", START + n) for each in (1, 3)]) for n in range(1000)]
    with opened(path) as it, closing(Queries(path, tails=it.journal.tails)) as queries:
        with it.journal._changed:  # so that all are there before the writer looks
            it.journal._queue.extend(entries)
        it.posted.wait_for(1000)
        for device in {one.device for each in entries for one in each.readings}:
            said = [one for each in entries for one in each.readings if one.device == device]
            assert [one.seq for one in said] == list(range(1, len(said) + 1))
            assert queries.after(device, 0, None, 2000) == [(one.seq, one.ts, one.body) for one in said]
        rows = [take_apart(row) for row in it.journal._store._connection.execute(f"{WHOLE} ORDER BY id")]
        assert 2000 // 64 <= len(rows) <= 50
        assert max(sum(device in one.devices for one in rows) for device in range(1, 51)) <= 3


def test_a_body_with_a_line_end_is_refused() -> None:
    for bodies in ([b"\n"], [b"{}", b"{}\n"], [b"{}", b"\n{}"]):
        with pytest.raises(ValueError, match="line end"):
            list(log_rows(1, [1, 1, 1] * len(bodies), bodies, None))


@pytest.mark.parametrize(
    "change",
    [
        "heads = '[1,2'",
        "heads = '{}'",
        "heads = '[1,2,3]'",
        "heads = '[1,2,\"x\"]'",
        "heads = '[1,1,0,2.5,1,0]'",
        "heads = '[1,1,0,7,1,0]'",
        "heads = '[1,1,0,1,3,0]'",
        "bodies = 'x'",
    ],
)
def test_a_row_whose_columns_do_not_agree_is_damage(path: Path, change: str) -> None:
    with opened(path) as it:
        it.put([entry(reading("a", START), reading("b", START))])
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(f"UPDATE log SET {change}").rowcount == 1
    with opened(path) as it:
        assert "was damaged" in it.opened.problem
        assert it.journal.writable


@pytest.mark.parametrize(
    "heads",
    ["[1,3,0,3,3,0]", "[1,3,0,1,3,0]", "[1,4,0,2,3,0]", "[1,2,0,2,3,0]"],
    ids=["whose", "both", "past", "twice"],
)
@pytest.mark.parametrize("at", [3, 5])
def test_where_readings_do_not_follow_one_another_no_number_is_given_twice(path: Path, heads: str, at: int) -> None:
    with opened(path) as it:
        for n in range(5):
            it.put([entry(reading("a", START + n), reading("b", START + n))])
    with closing(sqlite3.connect(path)) as connection, connection:
        (first,) = connection.execute("SELECT id FROM log ORDER BY id LIMIT 1 OFFSET ?", (at - 1,)).fetchone()
        connection.execute("UPDATE log SET heads = ? WHERE id = ?", (heads.replace("3,0", f"{at},0"), first))
    new = [reading("a", START + 9), reading("b", START + 9)]
    with opened(path) as it:
        assert "was damaged" in it.opened.problem
        it.put([entry(*new)])
    assert all((one.seq or 0) > 5 for one in new)
    with opened(path) as it:
        assert it.opened.problem == ""


def test_of_a_damaged_log_what_follows_the_damage_goes_on(path: Path) -> None:
    with opened(path) as it:
        for n in range(200):
            it.put([entry(reading("a", START + n), reading("b", START + n))])
    with closing(sqlite3.connect(path)) as connection, connection:
        (first,) = connection.execute("SELECT id FROM log ORDER BY id LIMIT 1 OFFSET 119").fetchone()
        connection.execute("UPDATE log SET bodies = 'x' WHERE id = ?", (first,))
    with opened(path) as it, closing(Queries(path, tails=it.journal.tails)) as queries:
        assert "goes on far behind" not in it.opened.problem
        for device in ("a", "b"):
            assert [(one.seq, one.ts) for one in queries.after(device, 0, None, 999)] == [
                (n, START + n - 1) for n in range(121, 201)
            ]
        it.put([entry(last := reading("a", START + 200))])
        it.pack()
        assert last.seq == 201
        assert [one.seq for one in queries.after("a", 0, None, 999)] == [*range(121, 202)]


def test_a_long_log_is_packed_by_several_rounds(path: Path, monkeypatch) -> None:
    monkeypatch.setattr("gateway.journal.taking._MOST_READINGS", 500)
    monkeypatch.setattr("gateway.journal.taking._READINGS_AT_ONCE", 100)
    taken: list[int] = []
    with opened(path) as it:
        written = it.journal._store.deliveries.written
        monkeypatch.setattr(it.journal._store.deliveries, "written", lambda: (taken.append(1), written()))
        it.put([entry(reading("a", START + n), reading("b", START - n)) for n in range(1000)])
        it.pack()
        assert 3 <= len(taken) <= 4
        with closing(Queries(path)) as queries:
            assert [one.ts for one in queries.after("b", 0, None, 2000)] == [START - n for n in range(1000)]
            assert queries.stats().readings == 2000
