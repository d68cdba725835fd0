"""What one commit writes, prepared in memory, so that a commit that fails has changed nothing."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.journal.deliveries import encoded
from gateway.journal.many import insert
from gateway.journal.rejects import RejectPage
from gateway.journal.unset import UnsetPage
from gateway.model import Entry, Outcome, Reading
from gateway.runtime import is_set

_REJECTED = Outcome.REJECTED
_LogRow = tuple[int, int, int, float, int, bytes, bytes | None]
_ROW = "(?,?,?,?,?,CAST(? AS TEXT),?)"


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
    """Of the first block the least, else of the first reading."""
    packed: int
    """The last ``seq`` that is in a block."""

    def copy(self) -> "Head":
        """Return one that can be changed; ``dataclasses.replace`` takes five times as long."""
        return Head(self.id, self.source, self.profile, self.oldest, self.newest, self.oldest_arrived_ms, self.packed)


@dataclass(slots=True)
class Batch:
    """Numbers readings from the devices' heads on; works on copies of them."""

    known: Mapping[str, Head]
    next_id: Callable[[], int]
    begins_after: Callable[[str], int]
    """Past which ``seq`` the readings of a device that isn't known begin."""
    leaps: Mapping[str, int]
    """Past which ``seq`` a device goes on that is known, by name."""
    rejects: RejectPage
    unset: UnsetPage
    next_row: int
    """In the log."""
    heads: dict[str, Head] = field(default_factory=dict)
    deliveries: list[tuple[str, bytes]] = field(default_factory=list)
    body_bytes: int = 0
    """Of bodies."""
    _rows: list[_LogRow] = field(default_factory=list)
    _readings: list[Reading] = field(default_factory=list)
    """One for each of ``_rows``."""
    _bare: list[_LogRow] = field(default_factory=list)
    """Of messages without readings."""

    def __bool__(self) -> bool:
        return bool(self._rows or self._bare or self.rejects)

    def add(self, entry: Entry) -> None:
        """Take an entry in."""
        if entry.outcome is _REJECTED or entry.replays is not None:
            self.rejects.add(entry)
        message = entry.message
        arrived_ms = int(message.arrived * 1000)
        delivery = None
        if entry.digest is not None and message.packet_id is not None:
            delivery = self._delivery(entry.source, message.packet_id, entry.digest)
        for reading in entry.readings:
            head = self.heads.get(reading.device)
            if head is None or head.source is not entry.source or head.profile is not entry.profile:
                head = self._head(reading.device, entry, arrived_ms)
            head.newest += 1
            body = reading.body
            self.body_bytes += len(body)
            self._rows.append((self.next_row, head.id, head.newest, reading.ts, arrived_ms, body, delivery))
            self._readings.append(reading)
            self.next_row += 1
            delivery = None
        if delivery is not None:
            self._bare.append((self.next_row, 0, 0, 0.0, arrived_ms, b"", delivery))
            self.next_row += 1
        if not is_set(message.arrived):
            self._note_unset(entry)

    def _note_unset(self, entry: Entry) -> None:
        for row in self._rows[len(self._rows) - len(entry.readings) :]:
            self.unset.add(row[1], row[2], entry.booted)

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write everything, within the caller's transaction."""
        connection.executemany(
            "INSERT INTO devices VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET source = excluded.source, profile = excluded.profile",
            self._changed_devices(),
        )
        insert(connection, "log", _ROW, sorted(self._rows + self._bare) if self._bare else self._rows)
        self.rejects.insert(connection)
        self.unset.insert(connection)

    def number(self) -> Iterator[tuple[str, int, int]]:
        """Give the readings their ``seq``, after the commit; yield for each device, ``seq`` and row of the log."""
        for reading, row in zip(self._readings, self._rows, strict=True):
            reading.seq = row[2]
            yield reading.device, row[2], row[0]

    def _delivery(self, source: str, packet_id: int, digest: bytes) -> bytes:
        piece = encoded(packet_id, digest)
        self.deliveries.append((source, piece))
        return piece + source.encode()

    def _head(self, device: str, entry: Entry, arrived_ms: int) -> Head:
        head = self.heads.get(device)
        if head is None:
            known = self.known.get(device)
            head = known.copy() if known else self._new_head(device, entry, arrived_ms)
            head.newest = max(head.newest, self.leaps.get(device, 0))
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
