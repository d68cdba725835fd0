"""Each device's newest reading out of a damaged journal: so that ``seq`` goes on where it was."""

import sqlite3
from collections.abc import Iterator, Sequence

import orjson

Rescued = tuple[str, str, int, float, int, bytes]
"""Device, source, seq, ts, arrival in milliseconds, body."""

_NEWEST = "SELECT seq, ts, arrived_ms, CAST(body AS BLOB) FROM readings WHERE device = ? ORDER BY seq DESC LIMIT 1"


def rescue(connection: sqlite3.Connection) -> list[Rescued]:
    """Return what of it the damage lets be read; often all, for damage is mostly in one place."""
    try:
        devices = connection.execute("SELECT id, name, source FROM devices").fetchall()
    except sqlite3.Error:
        return []
    return [found for device in devices for found in _newest(connection, *device)]


def _newest(connection: sqlite3.Connection, id_: int, name: str, source: str) -> Iterator[Rescued]:
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


def carry_over(connection: sqlite3.Connection, rescued: Sequence[Rescued]) -> None:
    """Begin a new journal with them, within the caller's transaction."""
    for id_, (name, source, *reading) in enumerate(rescued, start=1):
        connection.execute("INSERT INTO devices (id, name, source) VALUES (?, ?, ?)", (id_, name, source))
        connection.execute("INSERT INTO readings VALUES (?, ?, ?, ?, CAST(? AS TEXT))", (id_, *reading))
