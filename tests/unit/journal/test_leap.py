"""Numbers leap where a backup was restored: what was kept stays as it is, and nothing lies in between."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal import Queries
from tests.support.journals import START, entry, opened, reading, settings
from tests.support.ports import wait_until

FAR = 10**9


def readings(count: int, start: int = 0) -> list:
    return [entry(reading("a", START + start + n)) for n in range(count)]


@pytest.fixture
def leapt(path: Path) -> Path:
    """A journal with readings 1 to 300 of ``a`` in blocks, which goes on past ``FAR``."""
    with opened(path) as it:
        it.put(readings(300))
        it.pack()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO resume VALUES ('a', ?), ('', ?)", (FAR, 2 * FAR))
        connection.commit()
    return path


def test_what_follows_has_numbers_past_it_and_what_was_there_keeps_its_own(leapt: Path) -> None:
    expected = [*range(1, 301), *range(FAR + 1, FAR + 31)]
    with opened(leapt) as it:
        assert it.opened.devices[0].last.seq == 300
        it.put(readings(20, 300))
        it.put([entry(reading("new", START))])
        with closing(Queries(leapt, tails=it.journal.tails)) as queries:
            assert [one.seq for one in queries.after("a", 0, None, 1000)] == expected[:320]
            assert [one.seq for one in queries.after("new", 0, None, 1000)] == [2 * FAR + 1]
            assert queries.stats().readings == 321
    with opened(leapt) as it:
        assert {known.device: known.last.seq for known in it.opened.devices} == {"a": FAR + 20, "new": 2 * FAR + 1}
        it.put(readings(10, 320))
        it.pack()
        with closing(Queries(leapt, tails=it.journal.tails)) as queries:
            found = queries.after("a", 0, None, 1000)
            assert [one.seq for one in found] == expected
            assert [one.ts for one in found] == [START + n for n in range(330)]
            assert [one.seq for one in queries.after("a", 250, None, 60)] == expected[250:310]
            page = queries.page("a", after=FAR + 3, start_ts=None, end_ts=None, limit=4, descending=True)
            assert [one.seq for one in page] == [FAR + 2, FAR + 1, 300, 299]
            assert queries.stats().readings == 331


def test_where_it_leapt_and_what_was_there_before_is_known_whether_it_is_packed_or_not(leapt: Path) -> None:
    for is_packed in (False, True, True):
        with opened(leapt) as it, closing(Queries(leapt, tails=it.journal.tails)) as queries:
            assert it.opened.kept == {"a": 300}
            it.put(readings(20, 300))
            if is_packed:
                it.pack()
            assert queries.missing("a", 1, FAR + 5) == [(301, FAR)]
            assert queries.missing("a", 400, 500) == [(400, 500)]
            assert queries.missing("a", 1, 300) == queries.missing("a", FAR + 1, FAR + 9) == []
            assert queries.missing("b", 1, FAR) == []


def test_readings_are_counted_as_before_once_they_are_packed(leapt: Path) -> None:
    with opened(leapt) as it, closing(Queries(leapt, tails=it.journal.tails)) as queries:
        assert queries.stats().readings == 300
        it.put(readings(20, 300))
        assert queries.stats().readings == 320
        it.pack()
        assert queries.stats().readings == 320


@pytest.mark.parametrize("is_packed", [False, True])
def test_times_are_put_right_on_both_sides_of_a_leap(path: Path, is_packed: bool) -> None:
    up, ahead = 100.0, [0.0]
    clocks = (lambda: ahead[0] + up), (lambda: up)

    def stamp() -> list:
        return [entry(reading("a", clocks[0]()), arrived=clocks[0]())]

    with opened(path, settings(), *clocks) as it:
        it.put(stamp())
        it.pack()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO resume VALUES ('a', ?)", (2**50,))
        connection.commit()
    with opened(path, settings(), *clocks) as it:
        it.put(stamp())
        if is_packed:
            it.pack()
        ahead[0] = START
        wait_until(lambda: not it.journal._store.unset, "all are put right")
        assert not it.journal.problem
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM unset").fetchone() == (0,)
        arrivals = "SELECT least_arrived_ms FROM blocks UNION ALL SELECT arrived_ms FROM logged"
        assert {ms / 1000 for (ms,) in connection.execute(arrivals)} == {START + up}


def test_damage_behind_a_leap_gives_no_number_twice(leapt: Path) -> None:
    with closing(sqlite3.connect(leapt)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'columns'").fetchone()
    data = bytearray(leapt.read_bytes())
    data[(page - 1) * 512 : page * 512] = b"\xaa" * 512
    leapt.write_bytes(data)
    with opened(leapt) as it:
        assert "damaged" in it.opened.problem
        after = [reading("a", START + n) for n in range(3)]
        it.put([entry(one) for one in after])
        assert after[0].seq is not None
        assert after[0].seq > FAR
        with closing(Queries(leapt, tails=it.journal.tails)) as queries:
            assert [one.seq for one in queries.after("a", 300, None, 9)][1:] == [one.seq for one in after]
