"""Journals on real files, and what goes into and comes out of them."""

import queue
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.journal import Committed, Journal, Opened, Queries
from gateway.journal.tails import Tails
from gateway.model import Entry, Outcome, RawMessage, Reading, encode_body
from gateway.settings import JournalSettings
from tests.support.ports import wait_until

DEADLINE_S = 20.0
START = 1_767_225_600.0


def settings(retention: float = 30 * 86400.0, max_size: int = 2**30, durability: str = "process") -> JournalSettings:
    """Return settings without the text that a person would write."""
    return JournalSettings.model_construct(retention=retention, max_size=max_size, durability=durability)


def reading(device: str, ts: float, value: float | str = 1.0) -> Reading:
    values = {"value": value}
    return Reading(device, ts, values, encode_body(ts, values))


def entry(
    *readings: Reading,
    source: str = "bench",
    arrived: float = START,
    acknowledged: bool = False,
    packet_id: int | None = None,
    digest: bytes | None = None,
    outcome: Outcome | None = None,
    profile: str | None = None,
) -> Entry:
    message = RawMessage(b"", arrived, acknowledged=acknowledged, packet_id=packet_id)
    kind = outcome or (Outcome.STORED if readings else Outcome.IGNORED)
    return Entry(source, message, kind, readings, digest=digest, profile=profile)


def asking(path: Path, *, tails: Tails | None = None) -> Queries:
    """Return queries that keep the file open no longer than each takes."""
    return Queries(path, lambda: False, tails)


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    """Change the file, beside the gateway or without one; closed then."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


class Posted:
    """What a journal posts, in order."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Committed] = queue.SimpleQueue()
        self.batches: list[Committed] = []

    def __call__(self, committed: Committed) -> None:
        self._queue.put(committed)

    @property
    def entries(self) -> list[Entry]:
        """Those that came to their end."""
        return [entry for batch in self.batches if not batch.kept for entry in batch.entries]

    @property
    def waiting(self) -> list[Entry]:
        """Those that were said to wait for the disk."""
        return [entry for batch in self.batches if batch.kept for entry in batch.entries]

    def wait_for(self, entries: int) -> "Posted":
        """Wait until that many entries in all have been posted."""
        while len(self.entries) < entries:
            self.batches.append(self._queue.get(timeout=DEADLINE_S))
        return self

    def drain(self) -> "Posted":
        while not self._queue.empty():
            self.batches.append(self._queue.get())
        return self


class Opening:
    """An open journal, what it found, and what it posts."""

    def __init__(self, journal: Journal, opened: Opened, posted: Posted) -> None:
        self.journal = journal
        self.opened = opened
        self.posted = posted

    def put(self, entries: Sequence[Entry]) -> None:
        """Append, and wait until all of these have been posted."""
        before = len(self.posted.entries)
        for one in entries:
            self.journal.append(one)
        self.posted.wait_for(before + len(entries))

    def pack(self) -> None:
        """Have all that is in the log packed into blocks, and wait for the end of that."""
        store = self.journal._store
        upto = store.next_row
        self.journal._housekeeping.packing.hurry()
        with self.journal._changed:
            self.journal._changed.notify()
        wait_until(lambda: store.first_row >= upto or self.journal.problem, "the log is packed", timeout_s=DEADLINE_S)
        assert not self.journal.problem


@contextmanager
def opened(
    path: Path,
    config: JournalSettings | None = None,
    clock: Callable[[], float] = lambda: START + 3600,
    steady: Callable[[], float] | None = None,
) -> Iterator[Opening]:
    """Open a journal, and close it at the end; time passes as ``steady`` says, or else as ``clock`` does."""
    posted = Posted()
    journal = Journal(path, config or settings(), posted, clock, steady or clock)
    opening = Opening(journal, journal.open(), posted)
    try:
        yield opening
    finally:
        journal.close()
        posted.drain()


def make_old(path: Path, layout: int = 4) -> None:
    """Make the journal of an older gateway: readings of ``küche`` and ``attic``, a reject, and its repetition."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parents[1] / "data" / "journal-layout-4.sql").read_text())
        for step in range(3, layout - 1, -1):
            connection.executescript(_UNDONE[step])
        connection.execute(f"PRAGMA user_version = {layout}")
        connection.execute("PRAGMA journal_mode = WAL")


def make_layout_5(path: Path) -> None:
    """Make one with a row of the log for each reading: 40 of each of two devices, of which 30 are in blocks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parents[1] / "data" / "journal-layout-5.sql").read_text())
        connection.execute("PRAGMA journal_mode = WAL")


_UNDONE = {
    3: "DROP TABLE resume;",
    2: "DROP TABLE unset; DROP TABLE age;",
    1: "DROP TABLE rejects; DROP TABLE repeats; DROP TABLE ledger; ALTER TABLE devices DROP COLUMN profile;",
}
"""What makes the layout before of one."""
