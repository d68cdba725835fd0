"""A box without a battery: readings come before its clock is set, and get their true times once it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from gateway.journal import Committed, Rebased
from gateway.journal.blocks import Block
from gateway.journal.making import pack
from gateway.journal.rows import Rows
from gateway.model import Entry, Reading, encode_body
from tests.support.journals import START, Opening, asking, changing, entry, opened, settings
from tests.support.ports import wait_until

UPTIME_S = 40.0


class Box:
    """A machine: what its clock says, and for how long it has been up."""

    def __init__(self) -> None:
        self.uptime = UPTIME_S
        self.ahead_s = 0.0
        """Of 1970, at the time of the boot."""

    def clock(self) -> float:
        return self.ahead_s + self.uptime

    def steady(self) -> float:
        return self.uptime

    def set(self, now: float) -> None:
        self.ahead_s = now - self.uptime

    def stamp(self, device: str = "a", n: int = 0, ts: float | None = None, **marks: object) -> Entry:
        """Return a reading that arrives now; ``ts``: its source gave it a time."""
        arrived = self.clock()
        if ts is None and arrived < START:
            marks["clock"] = "unset"
        at = arrived if ts is None else ts
        return entry(Reading(device, at, {"n": n}, encode_body(at, {"n": n}, **marks)), arrived=arrived)


@pytest.fixture
def box() -> Box:
    return Box()


@contextmanager
def running(path: Path, box: Box, retention: float = 30 * 86400.0) -> Iterator[Opening]:
    with opened(path, settings(retention=retention), box.clock, box.steady) as it:
        yield it


def rows(path: Path, device: str = "a") -> list[dict[str, object]]:
    return [orjson.loads(stored.body) for stored in asking(path).after(device, 0, None, 10**6, 2**30)]


def arrivals(path: Path) -> list[float]:
    with changing(path) as reader:
        found = [ms / 1000 for (ms,) in reader.execute("SELECT arrived_ms FROM logged ORDER BY device, seq")]
    reader.close()
    return found


def put_right(path: Path) -> None:
    """Wait until nothing is left to be put right."""

    def nothing_left() -> bool:
        with changing(path) as reader:
            found = reader.execute("SELECT count(*) FROM unset").fetchone() == (0,)
        reader.close()
        return found

    wait_until(nothing_left, "all times are put right")


def test_what_came_before_the_clock_was_set_gets_its_true_time(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([box.stamp()])
        box.uptime += 100
        it.put([box.stamp(n=1)])
        assert [row["clock"] for row in rows(path)] == ["unset", "unset"]
        box.uptime += 20
        box.set(START)
        put_right(path)
        assert rows(path) == [
            {"ts": START - 120, "values": {"n": 0}},
            {"ts": START - 20, "values": {"n": 1}},
        ]
        assert arrivals(path) == [START - 120, START - 20]
        it.put([box.stamp(n=2)])
        assert [stored.seq for stored in asking(path).after("a", 0, None, 10)] == [1, 2, 3]


def test_what_was_packed_meanwhile_gets_its_true_time_too(path: Path, box: Box) -> None:
    with running(path, box) as it:
        box.set(START - 3600)
        it.put([box.stamp(n=n) for n in range(3)])
        box.ahead_s = 0.0
        for n in range(3, 1500):
            box.uptime += 1
            it.journal.append(box.stamp(n=n, device="b"))
            it.journal.append(box.stamp(n=n))
        it.posted.wait_for(3 + 2 * 1497)
        it.pack()
        box.uptime += 1
        it.put([box.stamp(n=1500), box.stamp(n=1500, device="b")])
        box.set(START)
        put_right(path)
        expected = [{"ts": START - 1500 + n, "values": {"n": n}} for n in range(3, 1501)]
        assert rows(path)[3:] == rows(path, "b") == expected
        assert [row["ts"] for row in rows(path)[:3]] == [START - 3600] * 3
        found = asking(path).page("a", after=None, start_ts=START - 9, end_ts=START, limit=99, descending=False)
        assert [stored.seq for stored in found] == list(range(1492, 1502))
        it.pack()
        assert rows(path)[3:] == rows(path, "b") == expected
    told = [batch.rebased for batch in it.posted.batches if batch.rebased and batch.rebased.device == "a"]
    assert [(one.first, one.last) for one in told] == [(4, 1024), (1025, 1500), (1501, 1501)]
    assert told[-1].newest is not None


def test_the_hub_is_told_after_the_readings_before(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([box.stamp(n=n) for n in range(300)])
        box.set(START)
        put_right(path)
    told = [batch.rebased for batch in it.posted.batches if batch.rebased]
    assert [(one.device, one.first, one.last) for one in told] == [("a", 1, 256), ("a", 257, 300)]
    assert {round(one.by_s, 3) for one in told} == {START - UPTIME_S}
    assert told[0].newest is None
    assert told[1].newest is not None
    assert (told[1].newest.seq, told[1].newest.ts) == (300, START)
    assert isinstance(told[0], Rebased)
    assert isinstance(it.posted.batches[-1], Committed)


def test_the_sources_own_time_stays_and_its_arrival_moves(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([box.stamp(ts=START - 7.5)])
        box.set(START)
        put_right(path)
    assert rows(path) == [{"ts": START - 7.5, "values": {"n": 0}}]
    assert arrivals(path) == [START]


def test_other_marks_stay(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([box.stamp(retained=True)])
        box.set(START)
        put_right(path)
    assert rows(path) == [{"ts": START, "values": {"n": 0}, "retained": True}]


def test_ranges_of_time_find_them_afterwards(path: Path, box: Box) -> None:
    with running(path, box) as it:
        for n in range(600):
            box.uptime += 1
            it.journal.append(box.stamp(n=n))
        it.posted.wait_for(600)
        box.set(START)
        put_right(path)
    found = asking(path).page("a", after=None, start_ts=START - 400, end_ts=START - 301, limit=1000, descending=False)
    assert [stored.seq for stored in found] == list(range(200, 300))
    none = asking(path).page("a", after=None, start_ts=0, end_ts=10**6, limit=10, descending=False)
    assert none == []


def test_a_restart_before_the_clock_is_set_changes_nothing(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([box.stamp()])
    box.uptime += 60
    with running(path, box) as it:
        it.put([box.stamp(n=1)])
    box.uptime += 60
    box.set(START)
    with running(path, box):
        put_right(path)
    assert [row["ts"] for row in rows(path)] == [START - 120, START - 60]
    assert all("clock" not in row for row in rows(path))


def test_a_step_before_the_clock_is_set_is_reckoned_with(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([box.stamp()])
        box.uptime += 10
        box.set(1e9)  # as an image's build date does
        it.put([box.stamp(n=1)])
        box.uptime += 10
        box.set(START)
        put_right(path)
    assert [row["ts"] for row in rows(path)] == [START - 20, START - 10]


def test_a_clock_that_loses_its_setting_is_set_again(path: Path, box: Box) -> None:
    with running(path, box) as it:
        for at in (UPTIME_S, START, UPTIME_S + 20, START + 30):
            box.set(at)
            it.put([box.stamp()])
            box.uptime += 10
        put_right(path)
    assert [row["ts"] for row in rows(path)] == [START - 10, START, START + 20, START + 30]


def of_another_boot(path: Path) -> None:
    with changing(path) as writer:
        writer.execute("UPDATE unset SET boot = 'another'")
    writer.close()


def test_a_clock_that_is_set_while_readings_are_packed_puts_them_right(path: Path, box: Box, monkeypatch) -> None:
    def pack_slowly(read: Rows) -> Iterator[Block | None]:
        for block in pack(read):
            box.set(START)  # they are read, and in no block yet
            yield block

    monkeypatch.setattr("gateway.journal.packing.pack", pack_slowly)
    with running(path, box) as it:
        it.put([box.stamp(n=n) for n in range(10)])
        it.pack()
        put_right(path)
        it.pack()
    assert rows(path) == [{"ts": START, "values": {"n": n}} for n in range(10)]


def test_what_was_put_right_takes_no_room_in_the_log_once_it_is_packed(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([box.stamp(n=n) for n in range(300)])
        box.set(START + 3600)
        put_right(path)
        it.pack()
        wait_until(lambda: it.journal._store.log_bytes == 0, "the log is known to be empty")


def test_a_block_that_is_gone_keeps_no_other_from_being_put_right(path: Path, box: Box) -> None:
    with running(path, box) as it:
        it.put([box.stamp(n=n) for n in range(3000)])
        it.pack()
    with changing(path) as writer:
        writer.execute("DELETE FROM blocks WHERE first = 1025")
    writer.close()
    with running(path, box):
        box.set(START)
        put_right(path)
    assert rows(path) == [{"ts": START, "values": {"n": n}} for n in (*range(1024), *range(2048, 3000))]


def test_what_another_boot_stamped_stays_marked_and_ages_from_this_boot_on(path: Path, box: Box) -> None:
    with running(path, box, retention=1000.0) as it:
        it.put([box.stamp(n=n) for n in range(2)])
    of_another_boot(path)
    box.uptime = 5.0
    with running(path, box, retention=1000.0) as it:
        it.put([box.stamp(n=2)])
        box.set(START)
        put_right(path)
        assert [row.get("clock") for row in rows(path)] == ["unset", "unset", None]
        assert [row["ts"] for row in rows(path)] == [UPTIME_S, UPTIME_S, START]
        assert arrivals(path) == [START - 5, START - 5, START]
        assert not any(batch.rebased and batch.rebased.first < 3 for batch in it.posted.batches)
        box.uptime += 2000
        it.put([box.stamp(n=3)])
        wait_until(lambda: len(rows(path)) == 1, "they are too old at last")


def test_nothing_is_too_old_while_the_clock_is_not_set_or_has_just_been(path: Path, box: Box) -> None:
    box.set(START)
    with running(path, box, retention=86400.0) as it:
        it.put([box.stamp(n=n) for n in range(300)])
    of_another_boot(path)
    box.uptime = UPTIME_S
    box.ahead_s = 0.0
    with running(path, box, retention=86400.0) as it:
        it.put([box.stamp(n=n) for n in range(300, 600)])
        box.uptime += 3600
        it.put([box.stamp(n=600)])
        box.set(START + 7200)
        put_right(path)
        box.uptime += 120
        it.put([box.stamp(n=601)])
        it.put([box.stamp(n=602)])
    assert [row["values"]["n"] for row in rows(path)] == [*range(300), *range(300, 603)]


def test_a_clock_far_ahead_makes_nothing_old_at_once(path: Path, box: Box) -> None:
    day = 86400.0
    box.set(START)
    with running(path, box, retention=30 * day) as it:
        it.put([box.stamp(n=n) for n in range(100)])
        box.set(START + 50 * 365 * day)
        for _ in range(3):
            box.uptime += 61
            it.put([box.stamp(n=100)])
    with running(path, box, retention=30 * day) as it:  # nor by a restart
        box.uptime += day
        it.put([box.stamp(n=101)])
        box.set(START + 2 * day)
        it.put([box.stamp(n=102)])
        assert len(rows(path)) == 105
        box.uptime += 40 * day
        it.put([box.stamp(n=103)])
        wait_until(lambda: rows(path)[0]["values"]["n"] == 100, "what is really old goes")
