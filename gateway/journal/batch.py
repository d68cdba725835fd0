"""What one commit writes, prepared in memory, so that a commit that fails has changed nothing."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.journal.deliveries import encoded, runs
from gateway.journal.logged import MOST_IN_ROW, ROW, WIDTH, log_rows
from gateway.journal.many import insert
from gateway.journal.rejects import RejectPage
from gateway.journal.unset import UnsetPage
from gateway.model import Entry, Outcome, Reading
from gateway.runtime import is_set

_REJECTED = Outcome.REJECTED


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
    first_row: int
    """In the log, the number of the first reading."""
    heads: dict[str, Head] = field(default_factory=dict)
    deliveries: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    """By source, in their order."""
    body_bytes: int = 0
    """Of bodies."""
    _heads: list[int] = field(default_factory=list)
    """Device, ``seq`` and arrival of each reading, one after the other."""
    _bodies: list[bytes] = field(default_factory=list)
    _readings: list[Reading] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._readings or self.deliveries or self.rejects)

    @property
    def next_row(self) -> int:
        """The number of the first reading of the next commit."""
        return self.first_row + (len(self._readings) or bool(self.deliveries))

    def add_all(self, entries: Sequence[Entry]) -> None:
        """Take entries in, once."""
        known, heads, readings = self.heads.get, self._heads, self._readings
        for entry in entries:
            if entry.outcome is _REJECTED or entry.replays is not None:
                self.rejects.add(entry)
            message = entry.message
            arrived_ms = int(message.arrived * 1000)
            if entry.digest is not None and message.packet_id is not None:
                self.deliveries[entry.source].append(encoded(message.packet_id, entry.digest))
            for reading in entry.readings:
                head = known(reading.device)
                if head is None or head.source is not entry.source or head.profile is not entry.profile:
                    head = self._head(reading.device, entry, arrived_ms)
                head.newest += 1
                heads += (head.id, head.newest, arrived_ms)
                readings.append(reading)
            if not is_set(message.arrived):
                self._note_unset(entry)
        if len(readings) > MOST_IN_ROW:
            self._put_devices_together()
        self._bodies = [reading.body for reading in self._readings]
        self.body_bytes = sum(map(len, self._bodies))

    def _put_devices_together(self) -> None:
        """Have few rows of the log hold what a commit brings of one device, for those who look for that."""
        devices = self._heads[::WIDTH]
        order = sorted(range(len(devices)), key=devices.__getitem__)
        self._readings = [self._readings[at] for at in order]
        for column in range(WIDTH):
            values = self._heads[column::WIDTH]
            self._heads[column::WIDTH] = [values[at] for at in order]

    def _note_unset(self, entry: Entry) -> None:
        heads = self._heads[len(self._heads) - WIDTH * len(entry.readings) :]
        for device, seq in zip(heads[::WIDTH], heads[1::WIDTH], strict=True):
            self.unset.add(device, seq, entry.booted)

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write everything, within the caller's transaction."""
        connection.executemany(
            "INSERT INTO devices VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET source = excluded.source, profile = excluded.profile",
            self._changed_devices(),
        )
        if self._readings or self.deliveries:
            deliveries = runs(self.deliveries) if self.deliveries else None
            insert(connection, "log", ROW, list(log_rows(self.first_row, self._heads, self._bodies, deliveries)))
        self.rejects.insert(connection)
        self.unset.insert(connection)

    def number(self) -> Sequence[Reading]:
        """Give the readings their ``seq``, after the commit, and return them."""
        for reading, seq in zip(self._readings, self._heads[1::WIDTH], strict=True):
            reading.seq = seq
        return self._readings

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
