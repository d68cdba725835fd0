"""Measure the journal alone: latency, rate, what it writes, packing, and queries.

Usage: python -m bench.journal [seconds [part …]], the parts: pace, log, packing, queries; default: all.
The queries are asked of ten million readings, which takes some minutes and 200 MB in /tmp.
"""

import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from gateway.journal import Journal, Queries, shelf
from gateway.journal.making import packed
from gateway.journal.opening import open_store
from gateway.journal.packing import Packing
from gateway.journal.rows import Rows
from gateway.journal.schema import PAGE_BYTES
from gateway.journal.tails import Tails
from gateway.model import Entry, Outcome, RawMessage, Reading, encode_body
from gateway.settings import JournalSettings

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
PARTS = sys.argv[2:] or ["pace", "log", "packing", "queries"]
VALUES = {"temperature": 71.4, "humidity": 40.5}


def entry(n: int, devices: int = 50, at: float | None = None) -> Entry:
    now = time.time() if at is None else at
    device = f"device-{n % devices}"
    return Entry(
        "bench", RawMessage(b"", now), Outcome.STORED, [Reading(device, now, VALUES, encode_body(now, VALUES))]
    )


class Run:
    """A journal, and how long each of its entries took."""

    def __init__(self, folder: str, **settings: str) -> None:
        self.path = Path(folder) / "journal.db"
        self.lags_ms: list[float] = []
        self.batches: list[int] = []
        self.journal = Journal(self.path, JournalSettings(**settings), self.posted)
        self.journal.open()

    def posted(self, committed) -> None:
        now = time.time()
        assert not committed.error, committed.error
        self.batches.append(len(committed.entries))
        self.lags_ms += [1000 * (now - one.message.arrived) for one in committed.entries]

    def report(self, name: str, seconds: float) -> None:
        self.journal.close()
        lags = sorted(self.lags_ms)
        print(
            f"{name:44} {len(lags) / seconds:8.0f} readings/s  p50 {lags[len(lags) // 2]:6.2f} ms"
            f"  p99 {lags[int(0.99 * len(lags))]:6.2f} ms  {statistics.mean(self.batches):6.1f} a commit"
            f"  {self.path.stat().st_size / len(lags):4.0f} B a reading"
        )


def paced(name: str, rate: float, *, busy: bool = False, **settings: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder, **settings)
        start, n = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < SECONDS:
            while n < passed * rate:
                run.journal.append(entry(n))
                n += 1
            if busy:
                sum(range(2000))  # as the hub at 100 %: never lets go of the interpreter's lock by itself
            else:
                time.sleep(0.0005)
        run.report(name, SECONDS)


def flat_out(name: str, **settings: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder, **settings)
        start, n = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < SECONDS:
            if run.journal.backlog > 3000:
                time.sleep(0.002)
                continue
            for _ in range(200):
                run.journal.append(entry(n))
                n += 1
        run.report(name, passed)


def reject(n: int) -> Entry:
    message = RawMessage(b'{"temperature": "%d"}' % n, _START + n, topic=b"sensors/kitchen")
    return Entry("bench", message, Outcome.REJECTED, reason="temperature: expected a number, got text", rule="climate")


_START = 1_767_225_600.5
"""Fixed, as the digits of a time decide where pages split."""


def log_bytes(per_commit: int, devices: int, *, ledger_every: int = 0, rejects: bool = False) -> None:
    """Commit in exact batches, and count what went to the write-ahead log."""
    make = reject if rejects else (lambda n: entry(n, devices, _START + n))
    with tempfile.TemporaryDirectory() as folder:
        posted = threading.Event()
        path = Path(folder) / "journal.db"
        journal = Journal(path, JournalSettings(), lambda _: posted.set())
        journal.open()
        store = journal._store
        store.write([make(n) for n in range(9_000 if rejects else 20_000)])
        connection = store._connection
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        commits = 20_000 // per_commit if per_commit > 10 else 500
        for k in range(commits):
            if ledger_every and k % ledger_every == 0:
                store.ledger.told = {"bench": (k, 0, 0, 0, 0)}
                store.hurry()
            store.write([make(20_000 + k * per_commit + n) for n in range(per_commit)])
        size = path.with_name("journal.db-wal").stat().st_size
        what = "reject" if rejects else f"reading of {devices} devices"
        ledger = f", the ledger with each {ledger_every}th" if ledger_every else ""
        print(f"{per_commit:5} a commit{ledger}: {size / commits / per_commit:6.0f} bytes to the log a {what}")
        journal.close()


class Room:
    """Devices that say a temperature (a random walk, 2 decimals) and a humidity (1 decimal) each second."""

    def __init__(self, devices: int = 50) -> None:
        self.chance = random.Random(7)
        self.now = _START
        self.values = {f"device-{n}": [20.0, 50.0] for n in range(devices)}

    def second(self) -> Iterator[Entry]:
        self.now += 1
        for n, (device, values) in enumerate(self.values.items()):
            values[0] += self.chance.gauss(0, 0.03)
            values[1] += self.chance.gauss(0, 0.1)
            at = round(self.now + n / len(self.values) + self.chance.gauss(0, 0.0003), 6)
            said = {"temperature": round(values[0], 2), "humidity": round(values[1], 1)}
            body = encode_body(at, said)
            yield Entry("bench", RawMessage(b"", at), Outcome.STORED, [Reading(device, at, said, body)])


class Quiet:
    """A journal whose thread does nothing: the caller writes and packs, so that each can be measured."""

    def __init__(self, folder: str) -> None:
        self.path = Path(folder) / "journal.db"
        self.store, _ = open_store(self.path, JournalSettings(), Tails())
        self.packing = Packing(self.path, self.store, 2**30, time.monotonic)
        self.connection = self.store._connection
        self.packing_s, self.slices_ms = 0.0, []

    def pack(self, now: bool = False) -> None:
        if now:
            self.packing.hurry()
        while True:
            start, cpu = time.perf_counter(), time.process_time()
            more = self.packing.step()
            if more or self.packing._round:
                self.slices_ms.append((time.perf_counter() - start) * 1000)
            self.packing_s += time.process_time() - cpu
            assert not self.packing.problem, self.packing.problem
            if not more:
                return

    def close(self) -> None:
        self.store.close()


def packing(per_commit: int, seconds: int) -> None:
    """Take in what 50 devices say, commit and pack, and count bytes and CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        quiet, room = Quiet(folder), Room()
        quiet.connection.execute("PRAGMA wal_autocheckpoint = 0")
        wal, taking_s, written, readings = quiet.path.with_name("journal.db-wal"), 0.0, 0, 0
        for second in range(seconds):
            entries = list(room.second())
            cpu = time.process_time()
            for start in range(0, len(entries), per_commit):
                quiet.store.write(entries[start : start + per_commit])
            quiet.store.ledger.told = {"bench": (second, 0, 0, 0, 0)}
            taking_s += time.process_time() - cpu
            readings += len(entries)
            quiet.pack()
            if second % 20 == 19:
                written += wal.stat().st_size
                quiet.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        quiet.pack(now=True)
        written += wal.stat().st_size
        quiet.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        pages, free = quiet.store.pages()
        taking, packing = taking_s / readings * 1e6, quiet.packing_s / readings * 1e6
        slices = sorted(quiet.slices_ms)
        print(
            f"{readings:,} readings, {per_commit} a commit: {written / readings:.0f} bytes to the log a reading in all;"
            f" {(pages - free) * PAGE_BYTES / readings:.2f} bytes packed; CPU {taking:.1f} us to commit,"
            f" {packing:.1f} us to pack ({100 * packing / taking:.0f} %);"
            f" slices p50 {slices[len(slices) // 2]:.1f} ms, p99 {slices[int(0.99 * len(slices))]:.1f} ms"
        )
        quiet.close()


def fill(path: Path, readings: int, devices: int = 50) -> None:
    """Make a journal of devices at 1 Hz as packing leaves it: blocks of 655 readings, one device after the other."""
    quiet, room = Quiet(str(path.parent)), Room(devices)
    quiet.store.write(list(room.second()))
    quiet.pack(now=True)
    ids = quiet.store.block_ids
    for first in range(2, readings // devices, 655):
        said = [list(room.second()) for _ in range(655)]
        with quiet.store.writing() as connection:
            for number, entries in enumerate(zip(*said, strict=True), start=1):
                of_one = [entry.readings[0] for entry in entries]
                rows = Rows.of_bodies(first, [int(one.ts * 1000) for one in of_one], [one.body for one in of_one])
                shelf.write(connection, next(ids), number, packed(rows), rows)
        if first % 13_100 < 655:
            quiet.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    quiet.close()


def timed(name: str, call: Callable[[], object], times: int = 10) -> None:
    call()
    took = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        took.append((time.perf_counter() - start) * 1000)
    print(f"{name:56} median {statistics.median(took):7.2f} ms, worst {max(took):7.2f} ms")


def queries(readings: int = 10_000_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        fill(path, readings)
        ask(path, readings)


def ask(path: Path, readings: int) -> None:
    print(f"{readings:,} readings: {path.stat().st_size / readings:.2f} bytes of the file each")
    reader = Queries(path)
    last = readings // 50
    start = _START + last / 2
    day = {"start_ts": start, "end_ts": start + 86400}
    page = {"after": None, "start_ts": start, "end_ts": None, "descending": False}
    timed("stats()", reader.stats)
    timed("after(), 1000 readings from the middle", lambda: reader.after("device-7", last // 2, None, 1000))
    timed("after(), 1000 readings, the newest", lambda: reader.after("device-7", last - 1000, None, 1000))
    timed("page() by time, 100 readings", lambda: reader.page("device-7", limit=100, **page))
    if hasattr(reader, "chart"):
        chart = partial(reader.chart, "device-7", metric="temperature", most=2000)
        timed("chart() of a day, 86,400 readings, to 2000", lambda: chart(**day))
        timed("chart() of all to 2000", lambda: chart(start_ts=None, end_ts=None))
    reader.close()

    def opening() -> None:
        journal = Journal(path, JournalSettings(), lambda _: None)
        journal.open()
        journal.close()

    timed("open() and close()", opening, 3)


if __name__ == "__main__":
    if "pace" in PARTS:
        paced("20/s", 20)
        paced("1,000/s", 1000)
        paced("1,000/s beside a busy hub", 1000, busy=True)
        paced('1,000/s, durability = "power"', 1000, durability="power")
        flat_out("as fast as it goes")
        flat_out('as fast as it goes, durability = "power"', durability="power")
    if "log" in PARTS:
        for devices in (50, 1):
            for per_commit in (1, 10, 1000):
                log_bytes(per_commit, devices)
            log_bytes(1, devices, ledger_every=10)  # as with 10 readings/s
        for per_commit in (1, 10, 1000):
            log_bytes(per_commit, 1, rejects=True)
    if "packing" in PARTS:
        packing(1, 2000)
        packing(50, 2000)
    if "queries" in PARTS:
        queries()
