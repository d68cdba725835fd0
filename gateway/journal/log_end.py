"""The log of a damaged journal, as far down from its end as it can be read."""

import sqlite3
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import orjson

from gateway.journal.logged import WHOLE, LogRow, take_apart
from gateway.journal.salvage import GREATEST, Row
from gateway.journal.texts import NEWLINE


@dataclass(slots=True)
class LogEnd:
    """The newest reading of each device in the log, and all that lead up to these."""

    rows: dict[int, Row] = field(default_factory=dict)
    senseless: set[int] = field(default_factory=set)
    """Devices with rows at the end that make no sense."""
    front: dict[int, Row] = field(default_factory=dict)
    """If the way up can't be read: from the other end."""
    all_there: bool = True
    all: list[Row] = field(default_factory=list)
    """Of which it is the end, the newest first."""
    is_in_order: bool = True
    """Each reading is of a device there is, and follows the one before; else nobody knows whose the others were."""
    _next: dict[int, int] = field(default_factory=dict)
    """Which ``seq`` comes next on the way down."""

    @classmethod
    def read(cls, connection: sqlite3.Connection, known: Container[int] | None) -> "LogEnd":
        """Read the log from its end, and from its front where something is in the way.

        ``known``: all devices; None: there may be others.
        """
        log = cls()
        try:
            for whole in connection.execute(f"{WHOLE} ORDER BY id DESC"):
                for device, row in reversed(_readings(whole)):
                    log._take(device, row)
                    log.is_in_order &= known is None or device in known
        except sqlite3.Error:
            log.all_there = False
            log._read_front(connection)
        return log

    def _take(self, device: int, row: Row) -> None:
        self.all.append((device, *row))
        self.is_in_order &= row[0] == self._next.get(device, row[0])
        self._next[device] = row[0] - 1
        if device in self.rows:
            return
        if is_reading(row):
            self.rows[device] = row
        else:
            self.senseless.add(device)

    def _read_front(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error):
            for whole in connection.execute(f"{WHOLE} ORDER BY id"):
                self.front |= {device: row for device, row in _readings(whole) if is_reading(row)}


def _readings(whole: LogRow) -> list[tuple[int, Row]]:
    """Return device and reading, in order; raise ``sqlite3.DatabaseError`` where a row of the log makes no sense."""
    logged = take_apart(whole)
    return list(zip(logged.devices, map(tuple, logged.rows(range(len(logged.bodies)))), strict=True))


def unbroken(log: list[Row], newest: Mapping[int, int]) -> list[Row]:
    """Return of each device the readings up to its newest, as far as none is missing: in the log numbers never leap.

    ``newest``: the ``seq``, by device; of one that goes on with another than it had, none is returned.
    """
    found: list[Row] = []
    wanted = dict(newest)
    for device, *row in log:
        if wanted.get(device) == row[0] and is_reading(tuple(row)):
            wanted[device] -= 1
            found.append((device, *row))
    return found[::-1]


def is_reading(row: Row) -> bool:
    """Tell whether this is ``seq``, ``ts``, arrival and body of a reading, and no damage."""
    seq, ts, arrived_ms, body = row
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(fields, dict) or NEWLINE in body:
        return False
    is_body = isinstance(fields.get("values"), dict) and isinstance(fields.get("ts"), float)
    return is_body and is_seq(seq) and isinstance(ts, float) and isinstance(arrived_ms, int)


def is_seq(seq: object) -> bool:
    """Tell whether a reading can have this number."""
    return isinstance(seq, int) and 0 < seq <= GREATEST
