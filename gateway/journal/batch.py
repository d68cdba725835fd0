"""What one commit writes, prepared in memory, so that a commit that fails has changed nothing."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.journal.many import insert
from gateway.journal.rejects import RejectPage
from gateway.journal.schema import SPAN
from gateway.journal.unset import UnsetPage
from gateway.model import Entry, Reading
from gateway.runtime import is_set


@dataclass(slots=True)
class Head:
    """Where a device's readings begin and end, known in memory so that nothing is looked up."""

    id: int
    source: str
    profile: str | None
    """Which the newest reading passed."""
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
    begins_after: Callable[[str], int]
    """Past which ``seq`` the readings of a device that isn't known begin."""
    rejects: RejectPage
    unset: UnsetPage
    heads: dict[str, Head] = field(default_factory=dict)
    deliveries: list[tuple[str, int, bytes]] = field(default_factory=list)
    _rows: list[tuple[int, int, float, int, bytes]] = field(default_factory=list)
    _numbered: list[tuple[Reading, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._rows or self.deliveries or self.rejects)

    def add(self, entry: Entry) -> None:
        """Take an entry in."""
        message = entry.message
        self.rejects.add(entry)
        if entry.digest is not None and message.packet_id is not None:
            self.deliveries.append((entry.source, message.packet_id, entry.digest))
        arrived_ms = int(message.arrived * 1000)
        for reading in entry.readings:
            head = self._head(reading.device, entry, arrived_ms)
            head.newest += 1
            if not is_set(message.arrived):
                self.unset.add(head.id, head.newest, entry.booted)
            self._rows.append((head.id, head.newest, reading.ts, arrived_ms, reading.body))
            self._numbered.append((reading, head.newest))

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write everything, within the caller's transaction."""
        connection.executemany(
            "INSERT INTO devices VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET source = excluded.source, profile = excluded.profile",
            self._changed_devices(),
        )
        insert(connection, "readings", "(?,?,?,?,CAST(? AS TEXT))", self._rows)
        connection.executemany(
            "INSERT INTO spans SELECT device, min(seq), max(seq), min(ts), max(ts) FROM readings"
            " WHERE device = ? AND seq BETWEEN ? AND ?",
            [span for head in self.heads.values() for span in head.new_spans()],
        )
        insert(connection, "deliveries (source, packet_id, digest)", "(?,?,?)", self.deliveries)
        self.rejects.insert(connection)
        self.unset.insert(connection)

    def number(self) -> None:
        """Give the readings their ``seq``, after the commit."""
        for reading, seq in self._numbered:
            reading.seq = seq

    def _head(self, device: str, entry: Entry, arrived_ms: int) -> Head:
        head = self.heads.get(device)
        if head is None:
            known = self.known.get(device)
            head = replace(known) if known else self._new_head(device, entry, arrived_ms)
            self.heads[device] = head
        head.source, head.profile = entry.source, entry.profile
        return head

    def _new_head(self, device: str, entry: Entry, arrived_ms: int) -> Head:
        after = self.begins_after(device)
        return Head(self.next_id(), entry.source, entry.profile, after + 1, after, arrived_ms, after)

    def _changed_devices(self) -> Sequence[tuple[int, str, str, str | None]]:
        return [
            (head.id, name, head.source, head.profile)
            for name, head in self.heads.items()
            if (known := self.known.get(name)) is None or (known.source, known.profile) != (head.source, head.profile)
        ]
