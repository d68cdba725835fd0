"""The journal of an older gateway is taken over into a new file; the old one stays beside it."""

import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

from gateway.errors import JournalDown
from gateway.journal import schema, shelf
from gateway.journal.blocks import MOST_READINGS, Row
from gateway.journal.deliveries import joined, piece_end, runs
from gateway.journal.faults import damage
from gateway.journal.logged import ROW, LogRow, log_rows
from gateway.journal.making import packed
from gateway.journal.many import insert, placeholders
from gateway.journal.rows import Rows
from gateway.journal.schema import sibling
from gateway.journal.views import VIEWS

_BLOCK_BYTES = 256 * 1024
_READY = ".ready"
"""Behind the name of a new file that is whole."""
_AS_THEY_ARE = ("rejects", "repeats", "ledger", "unset", "age", "resume")
"""Tables that are the same, as far as the older layout had them."""
_READINGS = "SELECT seq, ts, arrived_ms, CAST(body AS BLOB) FROM readings WHERE device = ? ORDER BY seq"


def take_over(old: sqlite3.Connection, path: Path) -> None:
    """Write all that ``old`` has into a new file beside ``path``; ``exchange`` puts it in its place."""
    new_path = sibling(path, ".new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        sibling(new_path, suffix).unlink(missing_ok=True)
    with closing(schema.connect(new_path, "rwc")) as new:
        new.execute("PRAGMA synchronous = OFF")  # until it is whole, it is worth nothing
        schema.create(new)
        _copy(old, new)
    with new_path.open("rb") as file:
        os.fsync(file.fileno())
    new_path.rename(sibling(path, _READY))


def write_log_anew(connection: sqlite3.Connection) -> None:
    """Bring layout 5 up to this one, where it lies: all but the log is the same, and that is never large."""
    try:
        rows = _log_anew(connection)
    except (ValueError, TypeError, LookupError) as error:
        raise damage(f"the log makes no sense: {error}") from error
    with schema.transaction(connection):
        for drop in ("VIEW readings", "VIEW measurements", "TABLE log"):
            connection.execute(f"DROP {drop}")
        for statement in filter(str.strip, f"{VIEWS} {schema.LOG}".split(";")):  # the log last, see ``schema.create``
            connection.execute(statement)
        if rows:
            insert(connection, "log", ROW, rows)
        connection.execute(f"PRAGMA user_version = {schema.LAYOUT}")


def _log_anew(connection: sqlite3.Connection) -> list[LogRow]:
    """Return what layout 5 has in its log; a row of device 0 has no reading, only a delivery."""
    (upto,) = connection.execute("SELECT coalesce(max(upto), 0) FROM deliveries").fetchone()
    old = connection.execute("SELECT device, seq, arrived_ms, CAST(body AS BLOB), id, delivery FROM log ORDER BY id")
    rows = old.fetchall()
    readings = [row for row in rows if row[0]]
    heads = [number for row in readings for number in row[:3]]
    deliveries: defaultdict[str, list[bytes]] = defaultdict(list)
    for piece in [piece for *_, id_, piece in rows if piece and id_ > upto]:
        deliveries[piece[piece_end(piece) :].decode()].append(piece[: piece_end(piece)])
    return list(log_rows(upto + 1, heads, [row[3] for row in readings], runs(deliveries))) if rows else []


def exchange(path: Path) -> str:
    """Put the new file in the place of the old one, which is kept; return words for people.

    Raises
    ------
    JournalDown
        Another program has the old one open.
    """
    with closing(schema.connect(path, "rw")) as old:
        (layout,) = old.execute("PRAGMA user_version").fetchone()
        with suppress(sqlite3.OperationalError):
            old.execute("PRAGMA journal_mode = DELETE")  # its log must not be taken for the new one's
        (mode,) = old.execute("PRAGMA journal_mode").fetchone()
    if mode != "delete":
        raise JournalDown(f"journal {path}: is to get a new layout, and another program has it open")
    kept = sibling(path, f".layout-{layout}")
    kept.unlink(missing_ok=True)
    path.rename(kept)
    finish(path)
    return f"journal {path}: has a new layout; as it was, it is kept as {kept.name}, which may be deleted"


def finish(path: Path) -> None:
    """Put a new file in its place that is whole, as the old one has been moved away: a crash may come in between."""
    new = sibling(path, _READY)
    if not path.exists() and new.exists():
        new.rename(path)


def _copy(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    ids = count(1)
    tables = {name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    devices = old.execute("SELECT * FROM devices").fetchall()
    with schema.transaction(new):
        for id_, name, source, *profile in devices:
            new.execute("INSERT INTO devices VALUES (?, ?, ?, ?)", (id_, name, source, profile[0] if profile else None))
        for table in _AS_THEY_ARE:
            rows = old.execute(f"SELECT * FROM {table}").fetchall() if table in tables else []  # noqa: S608  our own names
            if rows:
                insert(new, table, placeholders(len(rows[0])), rows)
        deliveries = old.execute("SELECT source, packet_id, digest FROM deliveries ORDER BY id")
        insert(new, "deliveries", "(?,0,?)", list(joined(deliveries).items()))
    for id_, *_ in devices:
        with schema.transaction(new):
            for rows in _parts(map(Row._make, old.execute(_READINGS, (id_,)))):
                shelf.write(new, next(ids), id_, packed(columns := Rows.of(rows)), columns)


def _parts(rows: Iterator[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    size = 0
    for row in rows:
        if part and (len(part) == MOST_READINGS or size + len(row.body) > _BLOCK_BYTES):
            yield part
            part, size = [], 0
        part.append(row)
        size += len(row.body)
    if part:
        yield part
