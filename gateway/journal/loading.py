"""What is known in memory of the file, read at the start: where each device begins and ends, and what is in the log."""

import sqlite3

import orjson

from gateway.journal.batch import Head
from gateway.journal.deliveries import DeliveryBook
from gateway.journal.logged import WHOLE, damaged, rows_at, take_apart
from gateway.journal.records import Stored
from gateway.journal.tails import Tails

_DEVICES = """
SELECT d.id, d.name, d.source, d.profile, f.first, f.least_arrived_ms, l.last, CAST(l.newest AS BLOB) FROM devices d
LEFT JOIN blocks f ON f.id = (SELECT id FROM blocks WHERE device = d.id ORDER BY first LIMIT 1)
LEFT JOIN blocks l ON l.id = (SELECT id FROM blocks WHERE device = d.id ORDER BY first DESC LIMIT 1)
ORDER BY d.id
"""


class Loading:
    """Reads a file; fills ``tails`` and ``deliveries``."""

    def __init__(self, connection: sqlite3.Connection, tails: Tails, deliveries: DeliveryBook) -> None:
        self.heads: dict[str, Head] = {}
        self.newest: dict[str, Stored] = {}
        """Each device's newest reading."""
        self.log_bytes = 0
        """Of bodies."""
        self.first_row = 0
        self.next_row = self.next_device = self.next_block = 1
        self._connection = connection
        self._tails = tails
        self._deliveries = deliveries
        self._ends: dict[str, int] = {}
        """Where in the log each device's newest reading is, if it is there."""

    def read(self) -> "Loading":
        """Read the blocks' ends, then the log behind them."""
        self._tails.clear()
        self._read_blocks()
        self._read_log()
        self.heads = {name: head for name, head in self.heads.items() if head.newest}
        self._read_newest()
        return self

    def _read_newest(self) -> None:
        """Read where each tail ends, for all devices at once: a statement each takes longer than the rest of it."""
        ends = sorted((row, name) for name, row in self._ends.items() if name in self.heads)
        rows = rows_at(self._connection, [row for row, _ in ends])
        for (_, name), row in zip(ends, rows, strict=True):
            self.newest[name] = Stored(row.seq, row.ts, row.body)

    def _read_blocks(self) -> None:
        for id_, name, source, profile, first, arrived_ms, last, body in self._connection.execute(_DEVICES):
            self.heads[name] = Head(id_, source, profile, first or 0, last or 0, arrived_ms or 0, last or 0)
            self.next_device = id_ + 1
            if body is not None:
                self.newest[name] = Stored(last, orjson.loads(body)["ts"], body)
        (greatest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM blocks").fetchone()
        self.next_block = greatest + 1

    def _read_log(self) -> None:
        """Read what came after the blocks, and the deliveries that came after those in their sources' rows."""
        upto = self._deliveries.load(self._connection)
        names = {head.id: name for name, head in self.heads.items()}
        self.next_row = upto + 1
        for row in self._connection.execute(f"{WHOLE} ORDER BY id"):
            logged = take_apart(row)
            self.first_row = self.first_row or logged.first
            self.next_row = max(self.next_row, logged.end)
            self.log_bytes += sum(map(len, logged.bodies))
            if row[-1] is not None and logged.first > upto:
                self._deliveries.replay(row[-1])
            for number, one in enumerate(zip(logged.devices, logged.seqs, logged.arrivals, strict=True), logged.first):
                device, seq, arrived_ms = one
                if device not in names:
                    raise damaged(logged.first)
                self._read_row(names[device], seq, arrived_ms, number)
        self.first_row = self.first_row or self.next_row

    def _read_row(self, name: str, seq: int, arrived_ms: int, row: int) -> None:
        head = self.heads[name]
        if seq <= head.packed:
            return
        if name in self._ends and seq != head.newest + 1:  # numbers leap before the log, never in it
            raise damaged(row)
        if not head.newest:
            head.oldest, head.oldest_arrived_ms, head.packed = seq, arrived_ms, seq - 1
        head.newest = seq
        self._ends[name] = row
        self._tails.append(name, seq, row)
