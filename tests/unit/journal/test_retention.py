import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

from gateway.journal import Queries
from gateway.journal.schema import bytes_on_disk
from gateway.journal.store import Store
from gateway.model import Entry
from gateway.runtime import since_boot
from tests.support.journals import START, Opening, asking, entry, opened, reading, settings
from tests.support.ports import wait_until


class Clock:
    """Time as the test tells it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


def at(arrived: float, *devices: str, value: str = "") -> Entry:
    return entry(*[reading(device, START, value) for device in devices], arrived=arrived)


def seqs(path: Path, device: str) -> list[int]:
    return [stored.seq for stored in asking(path).after(device, 0, None, 10**6, 2**30)]


def purged(it: Opening, path: Path, device: str, expected: list[int]) -> None:
    wait_until(lambda: seqs(path, device) == expected, f"{device} has {expected[:1]} to {expected[-1:]}")
    assert it.journal.problem == ""


def test_what_arrived_too_long_ago_goes(path: Path) -> None:
    clock = Clock()
    with opened(path, settings(retention=1000.0), clock) as it:
        it.put([at(START + n, "a") for n in range(600)])
        clock.now = START + 1000 + 400
        purged(it, path, "a", list(range(401, 601)))


def test_whole_blocks_go_and_one_that_has_been_cut_is_not_cut_for_every_reading(path: Path) -> None:
    clock = Clock()
    with opened(path, settings(retention=10_000.0), clock) as it:
        it.put([at(START + n, "a") for n in range(3000)])
        it.pack()
        clock.now = START + 10_000 + 2048 + 100
        purged(it, path, "a", list(range(2049, 3001)))
        clock.now += 100
        it.put([at(clock.now, "b")])
        assert seqs(path, "a")[0] == 2049
        clock.now += 100
        purged(it, path, "a", list(range(2349, 3001)))


def test_a_device_that_says_little_keeps_little_past_the_retention(path: Path) -> None:
    clock = Clock()
    day = 86400.0
    with opened(path, settings(retention=30 * day), clock) as it:
        for n in range(60):
            clock.now = START + n * day
            it.put([at(clock.now, "a")])
            it.pack()
        wait_until(lambda: len(seqs(path, "a")) <= 35, "the old is cut off")
        assert seqs(path, "a") == list(range(seqs(path, "a")[0], 61))


def test_the_newest_reading_of_a_device_stays_so_that_seq_goes_on(path: Path) -> None:
    clock = Clock()
    with opened(path, settings(retention=10.0), clock) as it:
        it.put([at(START, "a", "b") for n in range(600)])
        clock.now += 100_000
        purged(it, path, "a", [600])
        purged(it, path, "b", [600])
    with opened(path, settings(retention=10.0), clock) as it:
        after = at(clock.now, "a")
        it.put([after])
        assert after.readings[0].seq == 601


def test_the_clock_of_a_sensor_decides_nothing(path: Path) -> None:
    clock = Clock()
    with opened(path, settings(retention=100.0), clock) as it:
        it.put([entry(reading("past", 0.0)), entry(reading("past", 0.0)), entry(reading("future", 9e9))])
        it.put([entry(reading("future", 9e9), arrived=START + 90)])
        clock.now = START + 61
        it.put([at(clock.now, "other")])
        assert (seqs(path, "past"), seqs(path, "future")) == ([1, 2], [1, 2])
        clock.now = START + 150
        purged(it, path, "future", [2])
        purged(it, path, "past", [2])


def test_a_reading_goes_only_after_the_earlier_ones_of_its_device(path: Path) -> None:
    clock = Clock()
    with opened(path, settings(retention=100.0), clock) as it:
        it.put([at(START + 500, "a"), at(START, "a"), at(START + 500, "a"), at(START, "b"), at(START, "b")])
        clock.now = START + 200
        purged(it, path, "b", [2])
        assert seqs(path, "a") == [1, 2, 3]


def test_past_the_size_the_oldest_go_of_all_devices(path: Path) -> None:
    clock = Clock()
    most = 2 * 2**20
    chance = random.Random(1)
    with opened(path, settings(max_size=most), clock, steady=since_boot) as it:
        for n in range(0, 6000, 50):
            clock.now = START + n
            it.put([at(START + n, "a", "b", value=chance.randbytes(75).hex()) for _ in range(100)])
        wait_until(lambda: asking(path).stats().bytes <= most, "the file is small enough")
        wait_until(lambda: not it.journal._busy, "nothing more goes")
        kept = {device: seqs(path, device) for device in ("a", "b")}
        assert kept["a"][-1] == kept["b"][-1] == 12_000
        assert 1 < kept["a"][0] < 12_000
        assert abs(kept["a"][0] - kept["b"][0]) <= 1024
        assert all(one == list(range(one[0], 12_001)) for one in kept.values())


def test_of_many_devices_some_lose_at_each_look(path: Path, monkeypatch) -> None:
    looks: list[int] = []
    front_ends = Store.front_ends

    def counted(store: Store) -> Iterator[tuple[str, int]]:
        found = list(front_ends(store))
        looks.append(len(found))
        return iter(found)

    monkeypatch.setattr(Store, "front_ends", counted)
    monkeypatch.setattr("gateway.journal.packing._FULL", 30)
    chance = random.Random(1)
    names, times = [f"device {number}" for number in range(64)], count(START)
    with opened(path, settings(max_size=2**21), count(START).__next__) as it:
        for _ in range(9):
            it.put([at(next(times), name, value=chance.randbytes(125).hex()) for _ in range(30) for name in names])
            it.pack()
        wait_until(lambda: asking(path).stats().bytes <= 2**21, "the file is small enough")
        kept = {name: seqs(path, name) for name in names}
    assert all(one == list(range(one[0], 271)) for one in kept.values())
    blocks_gone = sum(one[0] - 1 for one in kept.values()) // 30
    assert 0 < len(looks) < blocks_gone / 2


def test_a_smaller_max_size_makes_the_file_smaller(path: Path) -> None:
    chance = random.Random(1)
    with opened(path) as it:
        it.put([at(START + n, "a", value=chance.randbytes(125).hex()) for n in range(10_000)])
    assert path.stat().st_size > 2 * 2**20
    with opened(path, settings(max_size=2**20), steady=since_boot), closing(Queries(path)) as queries:
        wait_until(lambda: queries.stats().bytes <= 2**20, "the file is small enough", timeout_s=30.0)


def test_a_write_ahead_log_that_a_reader_made_long_is_cut_when_that_is_gone(path: Path) -> None:
    chance = random.Random(1)
    wal = path.with_name(path.name + "-wal")
    with opened(path, settings(max_size=2**20), count(START).__next__) as it:
        it.put([at(START, "a")])
        with closing(sqlite3.connect(path)) as reader:
            cursor = reader.execute("SELECT name FROM sqlite_master")
            it.put([at(START + n, "a", value=chance.randbytes(125).hex()) for n in range(10_000)])
            it.pack()
            wait_until(lambda: seqs(path, "a")[0] > 1 and not it.journal._busy, "the oldest are gone")
            assert wal.stat().st_size > 2 * 2**20
            cursor.close()
        wait_until(lambda: bytes_on_disk(path) <= 2**20, "the log is short")
        assert it.journal.problem == ""


def test_a_damaged_block_is_in_the_way_of_nothing(path: Path) -> None:
    chance = random.Random(1)
    with opened(path, settings(max_size=2**20), count(START).__next__) as it:
        it.put([at(START, "silent") for _ in range(10)])
        it.pack()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE columns SET data = zeroblob(length(data))")
        it.put([at(START + n, "a", value=chance.randbytes(125).hex()) for n in range(10_000)])
        wait_until(lambda: bytes_on_disk(path) <= 2**20, "the file is small enough")
        assert it.journal.problem == ""
        assert seqs(path, "silent") == [10]
        assert 1 < seqs(path, "a")[0] < seqs(path, "a")[-1] == 10_000


def test_arrivals_of_the_future_can_not_stop_the_size(path: Path) -> None:
    chance = random.Random(1)
    with opened(path, settings(max_size=2**20), count(START).__next__) as it:
        it.put([at(START + 1e8, "a", value=chance.randbytes(125).hex()) for n in range(10_000)])
        wait_until(lambda: asking(path).stats().bytes <= 2**20, "the file is small enough")
        assert it.journal.problem == ""


def test_a_clock_that_was_set_back_does_not_stop_it(path: Path) -> None:
    clock, steady = Clock(), Clock()
    with opened(path, settings(retention=100.0), clock, steady) as it:
        clock.now = steady.now = START + 10**8
        it.put([at(START, "a"), at(START, "a")])
        purged(it, path, "a", [2])
        clock.now, steady.now = START + 10**6, steady.now + 61
        it.put([at(START + 10, "a")])
        purged(it, path, "a", [3])


def test_commits_go_on_while_the_old_is_purged(path: Path) -> None:
    clock = Clock()
    with opened(path, settings(retention=10.0), clock) as it:
        it.put([at(START, "old") for _ in range(20_000)])
        clock.now += 1000
        before = it.opened.devices
        it.put([at(clock.now, "new")])
        assert before == []
        assert len(seqs(path, "old")) > 1
        purged(it, path, "old", [20_000])


def test_another_retention_holds_at_once(path: Path) -> None:
    clock = Clock()
    with opened(path, settings(retention=1000.0), clock) as it:
        it.put([at(START + n, "a") for n in range(600)])
        clock.now = START + 900
        it.journal.limit(settings(retention=500.0))
        purged(it, path, "a", list(range(401, 601)))


def test_another_size_holds_at_once(path: Path) -> None:
    clock = Clock()
    with opened(path, settings(max_size=64 * 2**20), clock) as it:
        for n in range(40):
            it.put([at(START + n, "a", value="x" * 200) for _ in range(500)])
        before = path.stat().st_size
        it.journal.limit(settings(max_size=2 * 2**20))
        wait_until(lambda: path.stat().st_size < 2 * 2**20 < before, "the file is smaller", timeout_s=20.0)
        assert it.journal.problem == ""
