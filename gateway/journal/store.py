"""The writing side of the file: one transaction at a time, and the devices' heads in memory."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from gateway.journal import schema, shelf
from gateway.journal.batch import Batch, Head
from gateway.journal.blocks import Block, Row
from gateway.journal.deliveries import DeliveryBook
from gateway.journal.ledger_book import LedgerBook
from gateway.journal.loading import Loading
from gateway.journal.logged import WHOLE, Logged, rows_at, take_apart
from gateway.journal.records import KnownDevice, Opened
from gateway.journal.rejects import MOST_BYTES, RejectBook
from gateway.journal.rescue import OTHERS
from gateway.journal.tails import Tails
from gateway.journal.unset import UnsetPage, UnsetStretches
from gateway.model import Entry
from gateway.runtime import boot_id, monotonic
from gateway.settings import JournalSettings

_PROBE_BYTES = 65536
_BOOKS_EVERY_S = 1.0
"""How often the ledger, and what rejects came again, may cost a commit the pages that they are on."""
_REJECTS_SHARE = 8
"""Rejects take at most an eighth of a small journal."""
_KEPT = """
SELECT name, kept FROM (
    SELECT name, (SELECT last FROM blocks WHERE device = d.id AND first <= seq ORDER BY first DESC LIMIT 1) AS kept
    FROM resume JOIN devices d USING (name)
) WHERE kept IS NOT NULL
"""
"""Where devices were when their numbers leapt."""


class Store:
    """The journal's file, as its one writer sees it. Raises ``sqlite3.Error``; then nothing has changed."""

    def __init__(
        self, path: Path, settings: JournalSettings, connection: sqlite3.Connection, tails: Tails | None = None
    ) -> None:
        self.heads: dict[str, Head] = {}
        self.tails = tails or Tails()
        self.log_bytes = 0
        """Of bodies."""
        self.deliveries = DeliveryBook()
        self.rejects = RejectBook(min(MOST_BYTES, settings.max_size // _REJECTS_SHARE))
        self.ledger = LedgerBook()
        self.unset = UnsetStretches()
        self.age: float | None = None
        """Where ``Age`` stood when that was last kept."""
        self.first_row = 0
        self.next_row = 1
        """Numbers in the log: of what comes next; ``first_row``: of its first reading, or the same if it is empty."""
        self.block_ids: Iterator[int] = count(1)
        self.rewrites = 0
        """How often readings were changed in the file: what was read before that is no longer true."""
        self._resume: dict[str, int] = {}
        self._books_at = float("-inf")
        self._path = path
        self._settings = settings
        self._connection = connection
        self._ids = count(1)

    def load(self, problem: str) -> Opened:
        """Read the devices' heads, the log, the ledger, and what is known of rejects."""
        found = Loading(self._connection, self.tails, self.deliveries).read()
        self.heads, self.log_bytes = found.heads, found.log_bytes
        self.first_row, self.next_row = found.first_row, found.next_row
        self._ids, self.block_ids = count(found.next_device), count(found.next_block)
        known = [
            KnownDevice(name, head.source, head.oldest, found.newest[name], head.profile)
            for name, head in self.heads.items()
        ]
        self.rejects.load(self._connection)
        self.unset.load(self._connection, boot_id())
        (self.age,) = self._connection.execute("SELECT max(reached) FROM age").fetchone()
        self._resume = dict(self._connection.execute("SELECT name, seq FROM resume").fetchall())
        ledger = self.ledger.load(self._connection)
        return Opened(known, self.deliveries.all(), problem, ledger=ledger, resume=self._resume, kept=self._kept())

    def _kept(self) -> dict[str, int]:
        return dict(self._connection.execute(_KEPT).fetchall())

    def _begins_after(self, device: str) -> int:
        return self._resume.get(device, self._resume.get(OTHERS, 0))

    def write(self, entries: Sequence[Entry]) -> None:
        """Commit what ``entries`` hold, in order, and give their readings ``seq``."""
        pages = self.rejects.page(), UnsetPage(self.unset)
        batch = Batch(self.heads, self._ids.__next__, self._begins_after, self._resume, *pages, self.next_row)
        batch.add_all(entries)
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
        self.tails.extend(batch.number(), batch.first_row)
        self.heads.update(batch.heads)
        self.next_row = batch.next_row
        self.log_bytes += batch.body_bytes
        self.deliveries.turn(batch.deliveries)
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
        self.age = reached

    def probe(self) -> None:
        """Find out whether the disk takes writes, by writing for nothing."""
        self._connection.execute("INSERT INTO probe VALUES (zeroblob(?))", (_PROBE_BYTES,))
        self._connection.execute("DELETE FROM probe")

    def logged(self, low: int, high: int) -> Iterator[Logged]:
        """Read what begins in this range of the log."""
        rows = self._connection.execute(f"{WHOLE} WHERE id BETWEEN ? AND ? ORDER BY id", (low, high))
        return map(take_apart, rows)

    def arrived_ms(self, row: int) -> int:
        """Return when a reading of the log arrived, in Unix milliseconds."""
        (found,) = rows_at(self._connection, [row])
        return found.arrived_ms

    def oldest_block(self, head: Head) -> shelf.BlockHead | None:
        """Return a device's first block."""
        return shelf.oldest(self._connection, head.id)

    def front_ends(self) -> Iterator[tuple[str, int]]:
        """Yield when the last reading arrived of each device's first block, in Unix milliseconds."""
        return shelf.front_ends(self._connection)

    def blocks_back(self, head: Head) -> Iterator[shelf.BlockHead]:
        """Yield a device's blocks, the last one first."""
        return shelf.heads(self._connection, head.id, descending=True)

    def block_from(self, head: Head, seq: int) -> shelf.BlockHead | None:
        """Return the block in which a reading is, or the one after it where damage took that."""
        return next(shelf.heads(self._connection, head.id, low=seq), None)

    def block(self, head: shelf.BlockHead) -> Block:
        """Read a block; raises ``DamagedBlockError``."""
        return shelf.load(self._connection, head)

    def newest_of(self, head: shelf.BlockHead) -> Row:
        """Read a block's last reading, which needs none of its columns; it arrived then, or before."""
        return shelf.newest_of(self._connection, head)

    def front_goes(self, name: str, end: int) -> None:
        """Take over that all before ``end`` is gone, within the transaction that removed it or after."""
        head = self.heads[name]
        front, tail = self.oldest_block(head), self.tails.of(name)
        head.oldest = end
        if front is not None:
            head.oldest_arrived_ms = front.least_arrived_ms
        elif tail is not None and tail.rows:
            head.oldest_arrived_ms = self.arrived_ms(tail.rows[0])

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

    def bytes_on_disk(self) -> int:
        """Return how large the file is, with its write-ahead log."""
        return schema.bytes_on_disk(self._path)

    def cut_wal(self) -> None:
        """Move the write-ahead log into the database, and cut it to nothing, unless somebody reads just now.

        The database gets its size only by that; and a log that readers have made long stays long until something
        is written again.
        """
        with schema.no_waiting(self._connection):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

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
