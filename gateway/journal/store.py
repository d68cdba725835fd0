"""The writing side of the file: one transaction at a time, and the devices' heads in memory."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from gateway.journal import schema
from gateway.journal.batch import Batch, Head
from gateway.journal.records import KnownDevice, Stored
from gateway.model import Entry
from gateway.settings import JournalSettings

KEPT_DELIVERIES = 4096
"""The last ones of each source that stay."""
_PROBE_BYTES = 65536

# max() and min() of a device's seq each take one step down the tree.
_LOAD = """
SELECT d.id, d.name, d.source, first.seq, first.arrived_ms, last.seq, last.ts, CAST(last.body AS BLOB),
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
        self._path = path
        self._settings = settings
        self._connection = connection
        self._ids = count(1)

    def load(self) -> tuple[list[KnownDevice], list[tuple[str, int, bytes]]]:
        """Read the devices' heads and the deliveries."""
        known = []
        for id_, name, source, oldest, arrived_ms, newest, ts, body, spanned in self._connection.execute(_LOAD):
            self.heads[name] = Head(id_, source, oldest, newest, arrived_ms, max(spanned, oldest - 1))
            known.append(KnownDevice(name, source, oldest, Stored(newest, ts, body)))
        (greatest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM devices").fetchone()
        self._ids = count(greatest + 1)
        rows = self._connection.execute("SELECT source, packet_id, digest FROM deliveries ORDER BY id").fetchall()
        self.deliveries = Counter(source for source, *_ in rows)
        return known, rows

    def write(self, entries: Sequence[Entry]) -> None:
        """Commit what ``entries`` hold, in order, and give their readings ``seq``."""
        batch = Batch(self.heads, self._ids.__next__)
        for entry in entries:
            batch.add(entry)
        if not batch:
            return
        with schema.transaction(self._connection):
            batch.insert(self._connection)
        batch.number()
        self.heads.update(batch.heads)
        self.deliveries.update(source for source, *_ in batch.deliveries)

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
