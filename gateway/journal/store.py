"""The writing side of the file: one transaction at a time, and the devices' heads in memory."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from gateway.journal import schema
from gateway.journal.batch import Batch, Head
from gateway.journal.ledger_book import LedgerBook
from gateway.journal.records import KnownDevice, Opened, Stored
from gateway.journal.rejects import MOST_BYTES, RejectBook
from gateway.journal.rescue import OTHERS
from gateway.journal.unset import UnsetPage, UnsetStretches
from gateway.model import Entry
from gateway.runtime import boot_id, monotonic
from gateway.settings import JournalSettings

KEPT_DELIVERIES = 4096
"""The last ones of each source that stay."""
_PROBE_BYTES = 65536
_BOOKS_EVERY_S = 1.0
"""How often the ledger, and what rejects came again, may cost a commit the pages that they are on."""
_REJECTS_SHARE = 8
"""Rejects take at most an eighth of a small journal."""

# max() and min() of a device's seq each take one step down the tree.
_LOAD = """
SELECT d.id, d.name, d.source, d.profile, first.seq, first.arrived_ms, last.seq, last.ts, CAST(last.body AS BLOB),
       coalesce((SELECT s.last FROM spans s WHERE s.device = d.id ORDER BY s.first DESC LIMIT 1), 0)
FROM devices d
JOIN readings first ON first.device = d.id AND first.seq = (SELECT min(seq) FROM readings WHERE device = d.id)
JOIN readings last ON last.device = d.id AND last.seq = (SELECT max(seq) FROM readings WHERE device = d.id)
ORDER BY d.id
"""


class Store:
    """The journal's file, as its one writer sees it. Raises ``sqlite3.Error``; then nothing has changed."""

    def __init__(self, path: Path, settings: JournalSettings, connection: sqlite3.Connection) -> None:
        self.heads: dict[str, Head] = {}
        self.deliveries: Counter[str] = Counter()
        """How many are in the file, by source."""
        self.rejects = RejectBook(min(MOST_BYTES, settings.max_size // _REJECTS_SHARE))
        self.ledger = LedgerBook()
        self.unset = UnsetStretches()
        self.age: float | None = None
        """Where ``Age`` stood when that was last kept."""
        self._resume: dict[str, int] = {}
        self._books_at = float("-inf")
        self._path = path
        self._settings = settings
        self._connection = connection
        self._ids = count(1)

    def load(self, problem: str) -> Opened:
        """Read the devices' heads, the deliveries, the ledger, and what is known of rejects."""
        known = []
        for id_, name, source, profile, oldest, arrived_ms, *last, spanned in self._connection.execute(_LOAD):
            newest = Stored._make(last)
            self.heads[name] = Head(id_, source, profile, oldest, newest.seq, arrived_ms, max(spanned, oldest - 1))
            known.append(KnownDevice(name, source, oldest, newest, profile))
        (greatest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM devices").fetchone()
        self._ids = count(greatest + 1)
        rows = self._connection.execute("SELECT source, packet_id, digest FROM deliveries ORDER BY id").fetchall()
        self.deliveries = Counter(source for source, *_ in rows)
        self.rejects.load(self._connection)
        self.unset.load(self._connection, boot_id())
        (self.age,) = self._connection.execute("SELECT max(reached) FROM age").fetchone()
        self._resume = dict(self._connection.execute("SELECT name, seq FROM resume").fetchall())
        ledger = self.ledger.load(self._connection)
        return Opened(known, rows, problem, ledger=ledger, resume=self._resume)

    def _begins_after(self, device: str) -> int:
        return self._resume.get(device, self._resume.get(OTHERS, 0))

    def write(self, entries: Sequence[Entry]) -> None:
        """Commit what ``entries`` hold, in order, and give their readings ``seq``."""
        batch = Batch(self.heads, self._ids.__next__, self._begins_after, self.rejects.page(), UnsetPage(self.unset))
        for entry in entries:
            batch.add(entry)
        with_books = self.books_due()
        if not (batch or with_books):
            return
        ledger = self.ledger.changes() if with_books else {}
        with schema.transaction(self._connection):
            batch.insert(self._connection)
            if with_books:
                self.ledger.insert(self._connection, ledger)
                self.rejects.insert_repeats(self._connection)
        if with_books:
            self._books_at = monotonic()
            self.ledger.written(ledger)
            self.rejects.repeats.clear()
        self._turn(batch)

    def _turn(self, batch: Batch) -> None:
        """Take over what was committed."""
        batch.number()
        self.heads.update(batch.heads)
        self.deliveries.update(source for source, *_ in batch.deliveries)
        self.rejects.turn(batch.rejects)
        self.unset.turn(batch.unset)

    def books_due(self) -> bool:
        """Tell whether something waits that is written now and then only, and it is time to."""
        if monotonic() - self._books_at < _BOOKS_EVERY_S:
            return False
        return bool(self.rejects.waiting or self.rejects.repeats or self.ledger.changes())

    def hurry(self) -> None:
        """Let the next commit write all that waits."""
        self._books_at = float("-inf")

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for what is to be written together; on any error nothing was."""
        with schema.transaction(self._connection):
            yield self._connection

    def keep_age(self, reached: float) -> None:
        """Remember where ``Age`` stands."""
        self._connection.execute("INSERT OR REPLACE INTO age VALUES (1, ?)", (reached,))

    def probe(self) -> None:
        """Find out whether the disk takes writes, by writing for nothing."""
        self._connection.execute("INSERT INTO probe VALUES (zeroblob(?))", (_PROBE_BYTES,))
        self._connection.execute("DELETE FROM probe")

    def purge(self, head: Head, most: int, before_ms: int) -> bool:
        """Take readings from the front of a device: at most ``most``, that arrived ``before_ms``, never the last.

        Returns whether ``most`` was reached, so that there may be more to take.
        """
        limit = min(head.oldest + most, head.newest)
        (found,) = self._connection.execute(
            "SELECT min(seq) FROM readings WHERE device = ? AND seq >= ? AND seq < ? AND arrived_ms >= ?",
            (head.id, head.oldest, limit, before_ms),
        ).fetchone()
        end = limit if found is None else found
        is_full = end - head.oldest == most
        if end > head.oldest:
            self._purge_until(head, end)
        return bool(is_full)

    def _purge_until(self, head: Head, end: int) -> None:
        with schema.transaction(self._connection):
            self._connection.execute("DELETE FROM readings WHERE device = ? AND seq < ?", (head.id, end))
            self._connection.execute(
                "DELETE FROM spans WHERE device = ? AND first < ? AND last < ?", (head.id, end, end)
            )
            arrived_ms = self.arrived_ms(head, end)
        head.oldest, head.oldest_arrived_ms = end, arrived_ms

    def arrived_ms(self, head: Head, seq: int) -> int:
        """Return when a reading arrived that is there, in Unix milliseconds."""
        query = "SELECT arrived_ms FROM readings WHERE device = ? AND seq = ?"
        (arrived_ms,) = self._connection.execute(query, (head.id, seq)).fetchone()
        return int(arrived_ms)

    def trim_deliveries(self, source: str) -> None:
        """Keep the last ``KEPT_DELIVERIES`` of ``source``."""
        self._connection.execute(
            "DELETE FROM deliveries WHERE source = ?1 AND id <="
            " (SELECT id FROM deliveries WHERE source = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (source, KEPT_DELIVERIES),
        )
        self.deliveries[source] = min(self.deliveries[source], KEPT_DELIVERIES)

    def pages(self) -> tuple[int, int]:
        """Return how many pages the file has, and how many of them are free."""
        pages, free = self._connection.execute(
            "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count"
        ).fetchone()
        return pages, free

    def shrink(self, pages: int) -> None:
        """Give at most ``pages`` free pages back to the disk."""
        # execute() would take one step, which gives back one page, and leave the checkpoint undone.
        self._connection.executescript(f"PRAGMA incremental_vacuum({pages})")

    def checkpoint(self) -> None:
        """Move what can be moved into the database, which gets its size only by that."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def reconnect(self) -> None:
        """Open the same file again; the heads in memory stay what they are."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._connection = schema.connect(self._path, "rw")
        schema.configure(self._connection, self._path, self._settings.durability, self._settings.max_size)

    def close(self) -> None:
        """Move the write-ahead log into the database where that is possible, and let the file go."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
