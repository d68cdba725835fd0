"""Measure the journal alone: latency, rate, and what a commit writes. Usage: python -m bench.journal [seconds]"""

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from gateway.journal import Journal, Queries
from gateway.model import Entry, Outcome, RawMessage, Reading, encode_body
from gateway.settings import JournalSettings

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
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


def queries() -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder)
        for k in range(1000):
            run.journal._store.write([entry(n) for n in range(k * 1000, k * 1000 + 1000)])
        reader = Queries(run.path)
        middle = reader.page("device-7", after=10_000, start_ts=None, end_ts=None, limit=1, descending=False)[0].ts
        for name, call in {
            "stats()": reader.stats,
            "after(), 1000 readings": lambda: reader.after("device-7", 15_000, None, 1000),
            "page() by time, 100 readings": lambda: reader.page(
                "device-7", after=None, start_ts=middle, end_ts=None, limit=100, descending=False
            ),
        }.items():
            call()
            start = time.perf_counter()
            for _ in range(20):
                call()
            print(f"1,000,000 readings: {name:32} {(time.perf_counter() - start) * 50:6.2f} ms")
        reader.close()
        run.journal.close()
        start = time.perf_counter()
        journal = Journal(run.path, JournalSettings(), print)
        journal.open()
        print(f"1,000,000 readings: open()                           {(time.perf_counter() - start) * 1000:6.2f} ms")
        journal.close()


if __name__ == "__main__":
    paced("20/s", 20)
    paced("1,000/s", 1000)
    paced("1,000/s beside a busy hub", 1000, busy=True)
    paced('1,000/s, durability = "power"', 1000, durability="power")
    flat_out("as fast as it goes")
    flat_out('as fast as it goes, durability = "power"', durability="power")
    for devices in (50, 1):
        for per_commit in (1, 10, 1000):
            log_bytes(per_commit, devices)
        log_bytes(1, devices, ledger_every=10)  # as with 10 readings/s
    for per_commit in (1, 10, 1000):
        log_bytes(per_commit, 1, rejects=True)
    queries()
