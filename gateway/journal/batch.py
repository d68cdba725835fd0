"""What one commit writes, prepared in memory, so that a commit that fails has changed nothing."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from gateway.journal.schema import SPAN
from gateway.model import Entry, Reading

_MOST_ROWS = 512
"""In one statement."""


@dataclass(slots=True)
class Head:
    """Where a device's readings begin and end, known in memory so that nothing is looked up."""

    id: int
    source: str
    oldest: int
    newest: int
    """Of ``seq``; 0: none yet."""
    oldest_arrived_ms: int
    spanned: int
    """The last ``seq`` that ``spans`` covers."""

    def new_spans(self) -> Iterator[tuple[int, int, int]]:
        """Yield device, first and last of each span that is full now, and count it as covered."""
        while self.newest - self.spanned >= SPAN:
            first = self.spanned + 1
            self.spanned += SPAN
            yield self.id, first, self.spanned


@dataclass(slots=True)
class Batch:
    """Numbers readings from the devices' heads on; works on copies of them."""

    known: Mapping[str, Head]
    next_id: Callable[[], int]
    heads: dict[str, Head] = field(default_factory=dict)
    deliveries: list[tuple[str, int, bytes]] = field(default_factory=list)
    _rows: list[tuple[int, int, float, int, bytes]] = field(default_factory=list)
    _numbered: list[tuple[Reading, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._rows or self.deliveries)

    def add(self, entry: Entry) -> None:
        """Take an entry in."""
        message = entry.message
        if entry.digest is not None and message.packet_id is not None:
            self.deliveries.append((entry.source, message.packet_id, entry.digest))
        arrived_ms = int(message.arrived * 1000)
        for reading in entry.readings:
            head = self._head(reading.device, entry.source, arrived_ms)
            head.newest += 1
            self._rows.append((head.id, head.newest, reading.ts, arrived_ms, reading.body))
            self._numbered.append((reading, head.newest))

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write everything, within the caller's transaction."""
        connection.executemany(
            "INSERT INTO devices VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET source = excluded.source",
            self._changed_devices(),
        )
        _insert(connection, "readings", "(?,?,?,?,CAST(? AS TEXT))", self._rows)
        connection.executemany(
            "INSERT INTO spans SELECT device, min(seq), max(seq), min(ts), max(ts) FROM readings"
            " WHERE device = ? AND seq BETWEEN ? AND ?",
            [span for head in self.heads.values() for span in head.new_spans()],
        )
        _insert(connection, "deliveries (source, packet_id, digest)", "(?,?,?)", self.deliveries)

    def number(self) -> None:
        """Give the readings their ``seq``, after the commit."""
        for reading, seq in self._numbered:
            reading.seq = seq

    def _head(self, device: str, source: str, arrived_ms: int) -> Head:
        head = self.heads.get(device)
        if head is None:
            known = self.known.get(device)
            head = replace(known) if known else Head(self.next_id(), source, 1, 0, arrived_ms, 0)
            self.heads[device] = head
        head.source = source
        return head

    def _changed_devices(self) -> Sequence[tuple[int, str, str]]:
        return [
            (head.id, name, head.source)
            for name, head in self.heads.items()
            if name not in self.known or self.known[name].source != head.source
        ]


def _insert(connection: sqlite3.Connection, into: str, places: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert in few statements, of 512, 256, 128, … rows: their texts stay prepared.

    Each step of a statement gives the interpreter's lock away, and beside a busy hub may wait 5 ms
    to have it back: with a step a row a commit has taken a second (docs/decisions/0005).
    """
    done, size = 0, _MOST_ROWS
    while done < len(rows):
        while size > len(rows) - done:
            size //= 2
        part = chain.from_iterable(rows[done : done + size])
        connection.execute(f"INSERT INTO {into} VALUES {','.join([places] * size)}", tuple(part))  # noqa: S608
        done += size
