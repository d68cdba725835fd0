"""What the log holds moves into blocks, and nobody sees a difference."""

import random
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.journal import Queries, Stored, shelf
from gateway.journal.blocks import Block
from gateway.journal.making import pack
from gateway.journal.opening import open_store
from gateway.journal.packing import Packing
from gateway.journal.rows import Rows
from gateway.journal.tails import Tails
from gateway.model import Entry, Reading, encode_body
from tests.support.journals import START, Opening, asking, entry, opened, reading, settings
from tests.support.ports import wait_until

DEVICES = ("attic", "cellar", "kitchen")


def said(n: int) -> list[Reading]:
    """Return what all devices say at a time: of some the shape changes."""
    chance = random.Random(n)
    values = {"temperature": round(20 + chance.random(), 2), "open": chance.random() < 0.5}
    if n % 7 == 0:
        values = {"note": "wört" * chance.randrange(3), "temperature": -0.0}
    ts = START + n + chance.randrange(1000) / 1e6
    return [Reading(device, ts, values, encode_body(ts, values)) for device in DEVICES]


def delivered(first: int, end: int) -> Iterator[Entry]:
    for n in range(first, end):
        yield entry(*said(n), arrived=START + n, source="broker", packet_id=n, digest=b"%08d" % n, acknowledged=True)


def everything(queries: Queries) -> dict[str, list[Stored]]:
    return {device: queries.after(device, 0, None, 10**6, 2**30) for device in DEVICES}


def expected(end: int) -> dict[str, list[Stored]]:
    times = [said(n) for n in range(end)]
    return {
        device: [Stored(seq, ones[at].ts, ones[at].body) for seq, ones in enumerate(times, 1)]
        for at, device in enumerate(DEVICES)
    }


def blocks(path: Path) -> list[tuple[str, int, int]]:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT name, first, last FROM blocks b JOIN devices d ON d.id = b.device ORDER BY name, first"
        return connection.execute(query).fetchall()


def in_log(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM logged").fetchone()
        return count


def test_what_is_wanted_during_a_round_has_another_one_follow(path: Path) -> None:
    path.parent.mkdir()
    store, _ = open_store(path, settings(), Tails())
    with closing(store):
        packing = Packing(path, store, 2**30, lambda: START)
        store.write(list(delivered(0, 100)))
        packing.hurry()
        assert packing.step()
        store.write(list(delivered(100, 200)))
        packing.hurry()
        while packing.step() or packing.step():
            pass
        assert packing.problem == ""
        assert blocks(path) == [(device, 1, 200) for device in DEVICES]
        assert in_log(path) == 0


def test_everything_is_packed_and_the_log_is_emptied(path: Path) -> None:
    with opened(path) as it:
        it.put(list(delivered(0, 1500)))
        it.pack()
        assert in_log(path) == 0
        assert blocks(path) == [(device, *ends) for device in DEVICES for ends in ((1, 1024), (1025, 1500))]
        assert everything(asking(path)) == expected(1500)
    with opened(path) as it:
        assert {(known.device, known.oldest_seq, known.last) for known in it.opened.devices} == {
            (device, 1, rows[-1]) for device, rows in expected(1500).items()
        }
        assert [packet_id for _, packet_id, _ in it.opened.deliveries] == list(range(1500))
        it.put(list(delivered(1500, 1501)))
        assert everything(asking(path, tails=it.journal.tails)) == expected(1501)


def test_a_short_block_is_extended_and_a_long_one_is_not(path: Path) -> None:
    with opened(path) as it:
        for first, end in ((0, 10), (10, 500), (500, 900), (900, 1100), (1100, 1200)):
            it.put(list(delivered(first, end)))
            it.pack()
        assert [ends for device, *ends in blocks(path) if device == "attic"] == [[1, 900], [901, 1200]]
        assert everything(asking(path)) == expected(1200)


def test_few_at_a_time_are_not_packed_anew_each_time(path: Path, monkeypatch) -> None:
    packed: list[int] = []

    def counted(rows: Rows) -> Iterator[Block | None]:
        packed.append(len(rows.bodies))
        return pack(rows)

    monkeypatch.setattr("gateway.journal.packing.pack", counted)
    with opened(path) as it:
        for first in range(0, 150, 3):
            it.put(list(delivered(first, first + 3)))
            it.pack()
        assert everything(asking(path)) == expected(150)
        assert sum(packed) < 10 * 3 * 150
        assert len(blocks(path)) <= 6 * len(DEVICES)


def test_large_readings_make_small_blocks(path: Path) -> None:
    with opened(path) as it:
        large = [reading("a", START + n, "x" * 100_000) for n in range(5)]
        it.put([entry(one) for one in large])
        it.pack()
        it.put([entry(reading("a", START, "y" * 300_000))])
        it.pack()
        assert blocks(path) == [("a", 1, 2), ("a", 3, 4), ("a", 5, 5), ("a", 6, 6)]


@pytest.mark.parametrize("limit", ["MOST_ROWS", "_MOST_BYTES", "_MOST_S"])
def test_a_full_log_or_an_old_one_is_packed_by_itself(path: Path, monkeypatch, limit: str) -> None:
    at = [0.0]
    monkeypatch.setattr(f"gateway.journal.packing.{limit}", 100)
    with opened(path, steady=lambda: at[0]) as it:
        it.put(list(delivered(0, 10)))
        assert in_log(path) == 10 * len(DEVICES) or limit == "_MOST_BYTES"
        at[0] += 101
        it.put(list(delivered(10, 40)))
        wait_until(lambda: len(blocks(path)) >= len(DEVICES), "blocks are there")
        assert everything(asking(path, tails=it.journal.tails)) == expected(40)


def test_readers_see_every_reading_once_while_it_is_packed(path: Path) -> None:
    with opened(path) as it:
        it.put(list(delivered(0, 3000)))
        wrong, looks, end = [], [0, 0], threading.Event()

        def look(number: int, queries: Queries) -> None:
            while not end.is_set():
                after = random.randrange(3000)
                found = [one.seq for one in queries.after("cellar", after, None, 10**6, 2**30)]
                page = queries.page("cellar", after=after, start_ts=None, end_ts=None, limit=5000, descending=True)
                back = [one.seq for one in page]
                if found != list(range(after + 1, found[-1] + 1)) or found[-1] < 3000:
                    wrong.append(found)
                if back != list(range(after - 1, 0, -1)):
                    wrong.append(back)
                if queries.stats().readings < 9000:
                    wrong.append(queries.stats())
                looks[number] += 1
            queries.close()

        threads = [
            threading.Thread(target=look, args=(number, asking(path, tails=tails)))
            for number, tails in enumerate((it.journal.tails, None))
        ]
        for thread in threads:
            thread.start()
        try:
            for first in range(3000, 6000, 1000):
                it.put(list(delivered(first, first + 1000)))
                before = list(looks)
                it.pack()
                wait_until(lambda: all(now > was for now, was in zip(looks, before, strict=True)), "both have looked")  # noqa: B023
        finally:
            end.set()
            for thread in threads:
                thread.join()
        assert not wrong


@contextmanager
def copies(it: Opening, folder: Path) -> Iterator[list[Path]]:
    """Copy the file as it is after each of the writer's transactions, as a kill would leave it."""
    made: list[Path] = []
    store = it.journal._store
    writing = store.writing

    @contextmanager
    def copying() -> Iterator[sqlite3.Connection]:
        with writing() as connection:
            yield connection
        made.append(folder / str(len(made)) / "journal.db")
        made[-1].parent.mkdir(parents=True)
        for suffix in ("", "-wal"):
            source = it.journal._path.with_name(f"journal.db{suffix}")
            shutil.copy(source, made[-1].with_name(source.name))

    store.writing = copying
    yield made
    store.writing = writing


def test_a_kill_between_any_two_transactions_is_harmless(path: Path, tmp_path: Path) -> None:
    with opened(path) as it:
        it.put(list(delivered(0, 300)))
        it.pack()
        it.put(list(delivered(300, 1500)))
        with copies(it, tmp_path / "copies") as made:
            it.pack()
    assert len(made) >= 2 * len(DEVICES) + 2
    for copy in made:
        with opened(copy) as it:
            assert it.opened.problem == ""
            assert everything(asking(copy)) == everything(asking(copy, tails=it.journal.tails)) == expected(1500)
            assert [packet_id for _, packet_id, _ in it.opened.deliveries] == list(range(1500))
            assert asking(copy).stats().readings == 4500
            it.put(list(delivered(1500, 1501)))
            it.pack()
            assert in_log(copy) == 0
            assert everything(asking(copy)) == expected(1501)


@pytest.mark.parametrize(
    "statement", ["INSERT INTO blocks", "INSERT INTO columns", "DELETE FROM log", "INTO deliveries"]
)
def test_a_disk_that_refuses_while_packing_loses_nothing(path: Path, monkeypatch, statement: str) -> None:
    at = [0.0]
    with opened(path, steady=lambda: at[0]) as it:
        it.put(list(delivered(0, 1200)))
        store, real = it.journal._store, it.journal._store._connection
        store._connection = Refusing(real, statement)
        it.journal._housekeeping.packing.hurry()
        wait_until(lambda: "aren't packed" in it.journal.problem, "it is told")
        it.put(list(delivered(1200, 1201)))
        assert everything(asking(path, tails=it.journal.tails)) == expected(1201)
        store._connection = real
        at[0] += 61
        wait_until(lambda: it.journal.problem == "", "it is tried again")
        assert in_log(path) == 0
        assert everything(asking(path)) == expected(1201)


class Refusing:
    """A connection that takes no such statement."""

    def __init__(self, connection: sqlite3.Connection, statement: str) -> None:
        self._connection = connection
        self._statement = statement

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, statement: str, *parameters: object) -> sqlite3.Cursor:
        if self._statement in statement:
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, *parameters)

    def executemany(self, statement: str, *parameters: object) -> sqlite3.Cursor:
        if self._statement in statement:
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.executemany(statement, *parameters)


def test_a_damaged_block_is_lost_alone_and_named(path: Path) -> None:
    with opened(path) as it:
        it.put(list(delivered(0, 3000)))
        it.pack()
    with closing(sqlite3.connect(path)) as connection:
        damaged = "SELECT 512 * id FROM blocks WHERE first = 1025 AND device = 1"
        connection.execute(f"UPDATE columns SET data = zeroblob(length(data)) WHERE id IN ({damaged})")
        connection.commit()
    with opened(path, settings(retention=1e9)) as it, closing(Queries(path, tails=it.journal.tails)) as queries:
        assert it.opened.problem == ""
        found = everything(queries)
        assert found["cellar"] == expected(3000)["cellar"]
        assert found["attic"] == expected(3000)["attic"][:1024] + expected(3000)["attic"][2048:]
        assert queries.stats().problem.endswith("is damaged: readings 1025 to 2048 of attic can't be read")
        it.put(list(delivered(3000, 3001)))
        it.pack()
        assert it.journal.problem == ""


def test_what_a_long_chart_needs_is_known_of_each_block(path: Path) -> None:
    with opened(path) as it:
        it.put([entry(reading("a", START + n, abs(n - 700) - 5), arrived=START + n) for n in range(1024)])
        it.pack()
        (head,) = list(shelf.heads(it.journal._store._connection, 1))
        assert head[1:] == (1, 1024, START, START + 1023, int(START * 1000), int((START + 1023) * 1000))
        query = "SELECT kind, least, least_seq, least_ts, greatest, greatest_seq, greatest_ts, sum, count FROM columns"
        (found,) = it.journal._store._connection.execute(f"{query} WHERE name = 'value'").fetchall()
    values = [abs(n - 700) - 5 for n in range(1024)]
    assert found == ("int", -5, 701, START + 700, 695, 1, START, sum(values), 1024)
