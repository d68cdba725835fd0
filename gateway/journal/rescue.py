"""What goes on out of a damaged journal: each device's newest reading and ``seq``, and all books."""

import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, NamedTuple

from gateway.journal.deliveries import DeliveryBook, joined
from gateway.journal.log_end import LogEnd, is_reading, is_seq, unbroken
from gateway.journal.logged import ROW, log_rows
from gateway.journal.many import insert, placeholders
from gateway.journal.salvage import GREATEST, Row, newest, salvage
from gateway.model import Outcome

MARGIN = 10**9
"""What ``seq`` skips where the newest number given may be lost: more readings than a file of some 40 GB
has, or than a device makes in 30 years with one a second."""
OTHERS = ""
"""In the place of a name: all devices that have none of their own."""

_BLOCKS = (
    "SELECT last, newest ->> '$.ts', greatest_arrived_ms, CAST(newest AS BLOB) FROM blocks"
    " WHERE device = ? AND last <= ? ORDER BY first DESC LIMIT 1000"
)
# Of older gateways' journals.
_READINGS = (
    "SELECT seq, ts, arrived_ms, CAST(body AS BLOB) FROM readings"
    " WHERE device = ? AND seq <= ? ORDER BY seq DESC LIMIT 1000"
)
_SPANS = "SELECT first, last FROM spans WHERE device = ? AND first <= ? ORDER BY first DESC LIMIT 1000"
_TEXT_OR_NULL = (str, NoneType)
_DEVICES = (int, str, str, _TEXT_OR_NULL)
_BOOKS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "ledger": ("source", (str, *[int] * len(Outcome))),
    "rejects": ("id", (int, float, bytes, str, str, _TEXT_OR_NULL, int, int, int, bytes, bytes)),
    "repeats": ("id", (int, float, int)),
    "absences": ("id", (int, str, str, float, (float, NoneType), _TEXT_OR_NULL)),
    "alive": ("id", (int, float, _TEXT_OR_NULL, str)),
}
"""Key and columns of the tables that go on as they are."""


class _Device(NamedTuple):
    id: int
    source: str
    profile: str | None
    reading: Row
    """seq, ts, arrival in milliseconds, body."""


@dataclass(slots=True)
class Rescued:
    """What the damage let be read."""

    devices: dict[str, _Device] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    """Past which ``seq`` devices go on of which there is no reading, by name or ``OTHERS``."""
    books: dict[str, list[Row]] = field(default_factory=dict)
    """Rows by table."""
    has_blocks: bool = False
    """They may be copied."""
    log: list[Row] = field(default_factory=list)
    """What can be read of it from its end, the newest first: device, then as ``_Device.reading``."""
    deliveries: list[tuple[str, int, bytes]] = field(default_factory=list)
    """Source, packet id and digest, oldest first."""
    is_sure: bool = True
    """Each device's newest reading is here."""


def rescue(connection: sqlite3.Connection, times: int = 1) -> Rescued:
    """Return what of it the damage lets be read; often all, for damage is mostly in one place.

    ``times`` counts how often a journal was damaged here, this time too: where nothing can be
    read, numbers go on past those that were given after the last time.
    """
    connection.execute("PRAGMA writable_schema = ON")  # else nothing is read of a file that was cut off
    rescued = Rescued()
    devices = salvage(connection, "devices", "id", _DEVICES)
    after = salvage(connection, "resume", "name", (str, int))
    rescued.after = {name: seq for name, seq in after.rows if 0 < seq <= GREATEST}
    if not devices.all_there:
        rescued.is_sure = False
        rescued.after[OTHERS] = _past(rescued.after.get(OTHERS, 0), times)
    is_old = _has_table(connection, "spans")
    known = {id_ for id_, *_ in devices.rows} if devices.all_there else None
    log = LogEnd() if is_old else LogEnd.read(connection, known)
    rescued.has_blocks = not is_old
    for id_, name, source, *profile in devices.rows:
        found = _newest_of_old(connection, id_) if is_old else _newest(connection, id_, log)
        device = (id_, name, source, profile[0] if profile else None)
        _rescue_device(rescued, device, found, times)
    rescued.log = log.all
    rescued.books = {table: salvage(connection, table, *book).rows for table, book in _BOOKS.items()}
    if rescued.is_sure:  # else it may be a reading that was lost which comes again: better twice than not at all
        rescued.deliveries = _old_deliveries(connection) if is_old else _deliveries(connection)
    return rescued


class _Found(NamedTuple):
    """What is left of a device."""

    reading: Row | None
    """seq, ts, arrival in milliseconds, body."""
    seq: int
    """The greatest that shows anywhere."""
    is_sure: bool
    """``reading`` is the newest there was."""


def _newest(connection: sqlite3.Connection, device: int, log: LogEnd) -> _Found:
    """Find the newest reading: the log's if it has one, else the last block's."""
    block, is_last = newest(connection, _BLOCKS, device, is_reading)
    last = log.rows.get(device)
    found = [row for row in (last, log.front.get(device), block) if row]
    reading = max(found, key=lambda row: int(row[0]), default=None)
    packed = block[0] if block else 0
    is_sure = last[0] >= packed if last else bool(log.all_there and block and is_last)
    is_sure = is_sure and log.is_in_order and device not in log.senseless
    return _Found(reading, reading[0] if reading else 0, is_sure)


def _newest_of_old(connection: sqlite3.Connection, device: int) -> _Found:
    """Find it in an older gateway's journal."""
    reading, is_last = newest(connection, _READINGS, device, is_reading)
    span, is_last_span = newest(connection, _SPANS, device, _is_span)
    seq, spanned = reading[0] if reading else 0, span[1] if span else 0
    return _Found(reading, max(seq, spanned), bool(reading and is_last and is_last_span and spanned <= seq))


def _rescue_device(rescued: Rescued, device: tuple[int, str, str, str | None], found: _Found, times: int) -> None:
    """Take over the newest reading, or a number that is past it for sure."""
    id_, name, source, profile = device
    seq = max(found.seq, rescued.after.get(name, 0))
    if not found.is_sure:
        rescued.is_sure = False
        seq = _past(seq, times)
    if found.reading:
        rescued.devices[name] = _Device(id_, source, profile, (seq, *found.reading[1:]))
    else:
        rescued.after[name] = seq


def _deliveries(connection: sqlite3.Connection) -> list[tuple[str, int, bytes]]:
    """Return those of the sources' rows, and those in the log as far down from its end as it can be read."""
    book, found = DeliveryBook(), []
    with suppress(sqlite3.Error, IndexError, ValueError):
        # Not only those that have one: the step to the next row comes before this one is handed out.
        query = "SELECT deliveries FROM log WHERE id > ? ORDER BY id DESC"
        for (deliveries,) in connection.execute(query, (book.load(connection),)):
            found.append(deliveries)
    with suppress(IndexError, ValueError):
        for deliveries in filter(None, reversed(found)):
            book.replay(deliveries)
    return book.all()


def _old_deliveries(connection: sqlite3.Connection) -> list[tuple[str, int, bytes]]:
    return [row[1:] for row in salvage(connection, "deliveries", "id", (int, str, int, bytes)).rows]


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    try:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone())
    except sqlite3.Error:
        return False


def _past(seq: int, times: int) -> int:
    return max(seq + MARGIN, times * MARGIN)


def _is_span(row: Row) -> bool:
    return all(map(is_seq, row))


def carry_over(connection: sqlite3.Connection, rescued: Rescued) -> None:
    """Begin a new journal with it, within the caller's transaction."""
    known = {}
    for name, device in rescued.devices.items():
        known[device.id] = device.reading[0]
        connection.execute("INSERT INTO devices VALUES (?, ?, ?, ?)", (device.id, name, device.source, device.profile))
    rows = unbroken(rescued.log, known)
    there = {row[:2] for row in rows}
    rows += [
        (device.id, *device.reading)
        for device in rescued.devices.values()
        if (device.id, device.reading[0]) not in there
    ]
    if rows:
        heads = [number for device, seq, _, arrived_ms, _ in rows for number in (device, seq, arrived_ms)]
        insert(connection, "log", ROW, list(log_rows(1, heads, [row[-1] for row in rows], None)))
    insert(connection, "resume", "(?,?)", list(rescued.after.items()))
    pieces = joined(rescued.deliveries)
    insert(connection, "deliveries", "(?,0,?)", list(pieces.items()))
    for table, rows in rescued.books.items():
        if rows:
            insert(connection, table, placeholders(len(rows[0])), rows, "ON CONFLICT DO NOTHING")
