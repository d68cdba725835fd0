"""A journal that an older gateway wrote: tests/data/journal-layout-4.sql and -5.sql are two."""

import sqlite3
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import orjson
import pytest

from gateway.errors import JournalDown
from gateway.journal import Queries
from gateway.journal.schema import LAYOUT
from tests.support.journals import START, entry, make_layout_5, make_old, opened, reading


def rows(path: Path) -> dict[str, list[tuple[int, float, bytes]]]:
    """Return what an old journal holds, by device."""
    found: dict[str, list[tuple[int, float, bytes]]] = {}
    query = "SELECT name, seq, ts, CAST(body AS BLOB) FROM readings JOIN devices ON id = device ORDER BY name, seq"
    with closing(sqlite3.connect(path)) as connection:
        for name, *row in connection.execute(query):
            found.setdefault(name, []).append(tuple(row))
    return found


@pytest.mark.parametrize("layout", [1, 2, 3, 4])
def test_it_is_taken_over_bit_for_bit_and_kept(path: Path, layout: int) -> None:
    make_old(path, layout)
    before = rows(path)
    assert (len(before["küche"]), len(before["attic"])) == (300, 1)
    assert b"-0.0" in before["attic"][0][2]
    with opened(path) as it, closing(Queries(path)) as queries:
        assert it.opened.problem == ""
        assert f"kept as journal.db.layout-{layout}" in it.opened.note
        for name, readings in before.items():
            assert queries.after(name, 0, None, 1000) == readings
        assert {known.device: (known.last.seq, known.profile) for known in it.opened.devices} == {
            "küche": (300, "climate" if layout > 1 else None),
            "attic": (1, None),
        }
        assert [packet_id for _, packet_id, _ in it.opened.deliveries] == list(range(1, 300, 20))
        if layout > 1:
            assert it.opened.ledger == {"broker": (301, 2, 0, 0, 0)}
            assert [kept.count for kept in queries.newest_rejects(9)[0]] == [2]
        after = reading("küche", START)
        it.put([entry(after)])
        assert after.seq == 301
    assert rows(path.with_name(f"journal.db.layout-{layout}")) == before
    with opened(path) as it:
        assert it.opened.note == ""


def test_a_crash_before_the_new_file_is_whole_leaves_the_old_one(path: Path) -> None:
    make_old(path)
    path.with_name("journal.db.new").write_bytes(b"half of it")
    with opened(path) as it:
        assert len(it.opened.devices) == 2


def test_a_crash_between_the_two_renames_is_made_up_for(path: Path) -> None:
    make_old(path)
    with opened(path):
        pass
    path.rename(path.with_name("journal.db.ready"))
    with opened(path) as it:
        assert len(it.opened.devices) == 2
        assert it.opened.devices[0].last.seq == 300


def test_one_that_another_program_has_open_is_refused_and_stays(path: Path) -> None:
    make_old(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM devices").fetchone()
        with pytest.raises(JournalDown, match="another program has it open"), opened(path):
            pass
    with opened(path) as it, closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (LAYOUT,)
        assert orjson.loads(it.opened.devices[0].last.body)["values"]


def test_one_with_a_row_of_the_log_for_each_reading_is_brought_up_where_it_lies(path: Path) -> None:
    make_layout_5(path)
    expected = {
        "küche": [reading("küche", START + n, round(21 + n / 100, 2)).body for n in range(40)],
        "attic": [reading("attic", START + n, f"text {n}").body for n in range(40)],
    }
    for _ in range(2):
        with opened(path) as it, closing(Queries(path)) as queries:
            assert (it.opened.problem, it.opened.note) == ("", "")
            for name, bodies in expected.items():
                found = queries.after(name, 0, None, 1000)
                assert [(one.seq, one.ts, one.body) for one in found] == [
                    (seq, START + seq - 1, body) for seq, body in enumerate(bodies, 1)
                ]
            assert [packet_id for _, packet_id, _ in it.opened.deliveries] == list(range(1, 42))
    with opened(path) as it, closing(Queries(path)) as queries:
        it.pack()
        it.put([entry(reading("attic", START + 40))])
        assert [one.seq for one in queries.after("attic", 0, None, 1000)] == list(range(1, 42))
        assert [one.body for one in queries.after("küche", 0, None, 1000)] == expected["küche"]


def test_to_bring_one_up_happens_as_a_whole_or_not_at_all(path: Path, monkeypatch) -> None:
    make_layout_5(path)
    before = contents(path)
    monkeypatch.setattr("gateway.journal.older.insert", Mock(side_effect=sqlite3.OperationalError("disk I/O error")))
    with pytest.raises(JournalDown), opened(path):
        pass
    assert contents(path) == before


def test_one_whose_log_makes_no_sense_is_set_aside(path: Path) -> None:
    make_layout_5(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE log SET body = body || char(10) WHERE device = 2")
    with opened(path) as it, closing(Queries(path)) as queries:
        assert "was damaged" in it.opened.problem
        it.put([entry(after := reading("attic", START + 40))])
        assert (after.seq or 0) > 40
        assert len(queries.after("küche", 0, None, 30)) == 30


def contents(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [*connection.iterdump(), *map(str, connection.execute("PRAGMA user_version"))]
