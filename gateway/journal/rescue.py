"""Each device's newest reading out of a damaged journal, so that ``seq`` goes on where it was; and the ledger."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

_Newest = tuple[str, str, int, float, int, bytes]
"""Device, source, seq, ts, arrival in milliseconds, body."""

_NEWEST = "SELECT seq, ts, arrived_ms, CAST(body AS BLOB) FROM readings WHERE device = ? ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Rescued:
    """What the damage let be read."""

    readings: list[_Newest] = field(default_factory=list)
    ledger: list[tuple[object, ...]] = field(default_factory=list)
    """Rows as they were."""


def rescue(connection: sqlite3.Connection) -> Rescued:
    """Return what of it the damage lets be read; often all, for damage is mostly in one place."""
    return Rescued(list(_all_newest(connection)), _ledger(connection))


def _all_newest(connection: sqlite3.Connection) -> Iterator[_Newest]:
    try:
        devices = connection.execute("SELECT id, name, source FROM devices").fetchall()
    except sqlite3.Error:
        return
    for device in devices:
        yield from _newest(connection, *device)


def _ledger(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    try:
        rows = connection.execute("SELECT * FROM ledger").fetchall()
    except sqlite3.Error:
        return []
    return [row for row in rows if isinstance(row[0], str) and all(isinstance(count, int) for count in row[1:])]


def _newest(connection: sqlite3.Connection, id_: int, name: str, source: str) -> Iterator[_Newest]:
    try:
        row = connection.execute(_NEWEST, (id_,)).fetchone()
        if row and _is_sound(*row):
            yield (name, source, *row)
    except sqlite3.Error:
        return


def _is_sound(seq: object, ts: object, arrived_ms: object, body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(seq, int) and seq > 0 and isinstance(ts, float) and isinstance(arrived_ms, int)


def carry_over(connection: sqlite3.Connection, rescued: Rescued) -> None:
    """Begin a new journal with it, within the caller's transaction."""
    for id_, (name, source, *reading) in enumerate(rescued.readings, start=1):
        connection.execute("INSERT INTO devices (id, name, source) VALUES (?, ?, ?)", (id_, name, source))
        connection.execute("INSERT INTO readings VALUES (?, ?, ?, ?, CAST(? AS TEXT))", (id_, *reading))
    for row in rescued.ledger:
        connection.execute(f"INSERT INTO ledger VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608  only signs
