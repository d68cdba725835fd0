"""What goes on out of a damaged journal: each device's newest reading and ``seq``, and all books."""

import sqlite3
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, NamedTuple

import orjson

from gateway.journal.many import insert, placeholders
from gateway.journal.salvage import GREATEST, Row, newest, salvage
from gateway.model import Outcome

MARGIN = 10**9
"""What ``seq`` skips where the newest number given may be lost: more readings than a file of some 40 GB
has, or than a device makes in 30 years with one a second."""
OTHERS = ""
"""In the place of a name: all devices that have none of their own."""

_READINGS = (
    "SELECT seq, ts, arrived_ms, CAST(body AS BLOB) FROM readings"
    " WHERE device = ? AND seq <= ? ORDER BY seq DESC LIMIT 1000"
)
_SPANS = "SELECT first, last FROM spans WHERE device = ? AND first <= ? ORDER BY first DESC LIMIT 1000"
_TEXT_OR_NULL = (str, NoneType)
_DEVICES = (int, str, str, _TEXT_OR_NULL)
_DELIVERIES = (int, str, int, bytes)
_BOOKS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "ledger": ("source", (str, *[int] * len(Outcome))),
    "rejects": ("id", (int, float, bytes, str, str, _TEXT_OR_NULL, int, int, int, bytes, bytes)),
    "repeats": ("id", (int, float, int)),
}
"""Key and columns of the tables that go on as they are."""


class _Device(NamedTuple):
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
    for id_, name, source, *profile in devices.rows:
        _rescue_device(connection, rescued, (id_, name, source, profile[0] if profile else None), times)
    rescued.books = {table: salvage(connection, table, *book).rows for table, book in _BOOKS.items()}
    if rescued.is_sure:  # else it may be a reading that was lost which comes again: better twice than not at all
        rescued.books["deliveries"] = salvage(connection, "deliveries", "id", _DELIVERIES).rows
    return rescued


def _rescue_device(
    connection: sqlite3.Connection, rescued: Rescued, device: tuple[int, str, str, str | None], times: int
) -> None:
    """Find the newest reading, or a number that is past it for sure."""
    id_, name, source, profile = device
    reading, is_last = newest(connection, _READINGS, id_, _is_reading)
    span, is_last_span = newest(connection, _SPANS, id_, _is_span)
    seq, spanned = reading[0] if reading else 0, span[1] if span else 0
    if not (reading and is_last and is_last_span and spanned <= seq):
        rescued.is_sure = False
        seq = _past(max(seq, spanned, rescued.after.get(name, 0)), times)
    if reading:
        rescued.devices[name] = _Device(source, profile, (seq, *reading[1:]))
    else:
        rescued.after[name] = seq


def _past(seq: int, times: int) -> int:
    return max(seq + MARGIN, times * MARGIN)


def _is_reading(row: Row) -> bool:
    seq, ts, arrived_ms, body = row
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    is_body = isinstance(fields, dict) and isinstance(fields.get("values"), dict) and "ts" in fields
    return is_body and _is_seq(seq) and isinstance(ts, float) and isinstance(arrived_ms, int)


def _is_span(row: Row) -> bool:
    return all(map(_is_seq, row))


def _is_seq(seq: object) -> bool:
    return isinstance(seq, int) and 0 < seq <= GREATEST


def carry_over(connection: sqlite3.Connection, rescued: Rescued) -> None:
    """Begin a new journal with it, within the caller's transaction."""
    for id_, (name, device) in enumerate(rescued.devices.items(), start=1):
        connection.execute("INSERT INTO devices VALUES (?, ?, ?, ?)", (id_, name, device.source, device.profile))
        connection.execute("INSERT INTO readings VALUES (?, ?, ?, ?, CAST(? AS TEXT))", (id_, *device.reading))
    insert(connection, "resume", "(?,?)", list(rescued.after.items()))
    for table, rows in rescued.books.items():
        if rows:
            insert(connection, table, placeholders(len(rows[0])), rows, "ON CONFLICT DO NOTHING")
