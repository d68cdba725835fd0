"""What goes on of a damaged journal beside each device's newest reading: all blocks."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.journal import schema
from gateway.journal.blocks import MOST_READINGS
from gateway.journal.log_end import is_reading
from gateway.journal.many import insert, placeholders
from gateway.journal.rescue import MARGIN
from gateway.journal.salvage import GREATEST, Row, is_like
from gateway.journal.shelf import PLACES, places_of

_BLOCKS = (int, int, int, int, float, float, int, int, str, str)
_COLUMNS = 15
_AT_ONCE = 64
_HOLES = """
SELECT d.name, before + 1, first - 1 FROM (
    SELECT device, first, lag(last) OVER (PARTITION BY device ORDER BY first) AS before FROM blocks
) JOIN devices d ON d.id = device WHERE first > before + 1 ORDER BY d.name, first
"""

# The log once for all devices, and not for each: that took minutes of thousands.
_BEFORE_THE_LOG = """
WITH logs AS MATERIALIZED (SELECT device, min(seq) AS following FROM logged GROUP BY device),
packed AS MATERIALIZED (SELECT device, max(last) AS newest FROM blocks GROUP BY device)
SELECT name, newest + 1, following - 1 FROM devices d JOIN packed p ON p.device = d.id JOIN logs l ON l.device = d.id
WHERE following > newest + 1 AND following < newest + ? ORDER BY name
"""

Hole = tuple[str, int, int]
"""Readings that are missing: device, first and last ``seq``."""


def carry_blocks(aside: Path, new: sqlite3.Connection, devices: Mapping[int, str]) -> list[Hole]:
    """Copy the blocks of ``devices`` that can be read from a file that was set aside, some a transaction.

    Return those that can't, as far as there is a sign of them, and those that the new file refuses.
    """
    lost: list[Hole] = []
    with closing(schema.connect(aside, "ro")) as damaged:
        damaged.execute("PRAGMA writable_schema = ON")
        found = (block for block in _readable(damaged) if _is_sound(block, devices))
        while part := list(islice(found, _AT_ONCE)):
            lost += [(devices[block[1]], *block[2:4]) for block in _copy_all(damaged, new, part)]
    with suppress(sqlite3.Error):  # what is known to be lost is named all the same
        lost += [*holes(new), *_before_the_log(new)]
    return _joined(lost)


def _joined(pieces: Iterable[Hole]) -> list[Hole]:
    """Return pieces that lie side by side, or on one another, as one."""
    joined: list[Hole] = []
    for device, first, last in sorted(pieces):
        if joined and joined[-1][0] == device and first <= joined[-1][2] + 1:
            _, begin, end = joined.pop()
            joined.append((device, begin, max(end, last)))
        else:
            joined.append((device, first, last))
    return joined


def holes(connection: sqlite3.Connection) -> list[Hole]:
    """Return which readings are missing between blocks."""
    return connection.execute(_HOLES).fetchall()


def _before_the_log(connection: sqlite3.Connection) -> list[Hole]:
    """Return which readings are missing behind the last block, where that is known: no number was skipped."""
    found: list[Hole] = connection.execute(_BEFORE_THE_LOG, (MARGIN,)).fetchall()
    return found


def _readable(connection: sqlite3.Connection) -> Iterator[Row]:
    """Read the heads of blocks one by one: of several that lie side by side, the one before the damage would go too."""
    for id_ in range(1, _greatest_id(connection) + 1):
        with suppress(sqlite3.Error):
            yield from connection.execute("SELECT * FROM blocks WHERE id = ?", (id_,)).fetchall()


def _greatest_id(connection: sqlite3.Connection) -> int:
    for query in ("SELECT max(id) FROM blocks", f"SELECT max(id) / {PLACES} FROM columns"):  # noqa: S608  our number
        with suppress(sqlite3.Error):
            (found,) = connection.execute(query).fetchone()
            return found or 0
    return 0


def _is_sound(block: Row, devices: Mapping[int, str]) -> bool:
    if len(block) != len(_BLOCKS) or not is_like(block, _BLOCKS):
        return False
    _, device, first, last, *_, newest = block
    is_range = 0 < first <= last < min(first + MOST_READINGS, GREATEST)
    return device in devices and is_range and is_reading((last, 0.0, 0, newest.encode()))


def _copy_all(damaged: sqlite3.Connection, new: sqlite3.Connection, blocks: list[Row]) -> list[Row]:
    """Copy blocks; return those that can't be read, or all of them where the new file refuses them."""
    try:
        with schema.transaction(new):
            return [block for block in blocks if not _copy(damaged, new, block)]
    except sqlite3.Error:
        return blocks


def _copy(damaged: sqlite3.Connection, new: sqlite3.Connection, block: Row) -> bool:
    """Copy a block with its columns; return whether all of them can be read."""
    try:
        columns: list[tuple[Any, ...]] = damaged.execute(
            "SELECT * FROM columns WHERE id BETWEEN ? AND ?", places_of(block[0])
        ).fetchall()
    except sqlite3.Error:
        return False
    if columns:
        insert(new, "blocks", placeholders(len(_BLOCKS)), [block], "ON CONFLICT DO NOTHING")
        insert(new, "columns", placeholders(_COLUMNS), columns, "ON CONFLICT DO NOTHING")
    return bool(columns)
