"""The tables that blocks lie in."""

import sqlite3
from collections.abc import Iterator
from itertools import starmap
from math import inf
from typing import NamedTuple

import orjson

from gateway.journal.blocks import METRICS, MOST_READINGS, Block, DamagedBlockError, Named, Row
from gateway.journal.columns import Column
from gateway.journal.many import insert, placeholders
from gateway.journal.rows import Rows

PLACES = 512
"""Between the ids of two blocks' columns."""
_LAST = 2**63 - 1

_HEAD = "SELECT id, first, last, least_ts, greatest_ts, least_arrived_ms, greatest_arrived_ms FROM blocks"
_HEADS = (
    f"{_HEAD} WHERE device = ? AND first BETWEEN ? AND ? AND last >= ?"
    " AND least_ts <= ? AND greatest_ts >= ? ORDER BY first"
)

_COLUMNS = (
    "SELECT id, name, scale, step, size, data FROM columns"
    " WHERE id BETWEEN :lowest AND :highest AND (:metric IS NULL OR name IN ('', :metric))"
)

_FRONT_ENDS = """
SELECT json_group_array(json_array(d.name, b.greatest_arrived_ms)) FROM devices d
JOIN blocks b ON b.id = (SELECT id FROM blocks WHERE device = d.id ORDER BY first LIMIT 1)
"""


class BlockHead(NamedTuple):
    """What is known of a block without its columns."""

    id: int
    first: int
    last: int
    """Of ``seq``."""
    least_ts: float
    greatest_ts: float
    least_arrived_ms: int
    greatest_arrived_ms: int

    @property
    def length(self) -> int:
        """How many readings."""
        return self.last - self.first + 1


def heads(  # noqa: PLR0913  one parameter a filter
    connection: sqlite3.Connection,
    device: int,
    *,
    low: int = 1,
    high: int = _LAST,
    start: float = -inf,
    end: float = inf,
    descending: bool = False,
) -> Iterator[BlockHead]:
    """Yield the blocks that may have readings in these ranges of ``seq`` and ``ts``, both ends included."""
    order = " DESC" if descending else ""
    where = (device, max(low, 1) - MOST_READINGS, high, low, end, start)
    return starmap(BlockHead, connection.execute(_HEADS + order, where))


def places_of(id_: int) -> tuple[int, int]:
    """Return the lowest and the highest id that a block's columns can have."""
    return id_ * PLACES, id_ * PLACES + PLACES - 1


def oldest(connection: sqlite3.Connection, device: int) -> BlockHead | None:
    """Return a device's first block."""
    return next(heads(connection, device), None)


def newest(connection: sqlite3.Connection, device: int) -> BlockHead | None:
    """Return a device's last block."""
    return next(heads(connection, device, descending=True), None)


def front_ends(connection: sqlite3.Connection) -> Iterator[tuple[str, int]]:
    """Yield each device that has blocks by name, and when the last reading of the first one arrived."""
    (text,) = connection.execute(_FRONT_ENDS).fetchone()  # in one step, see ``counting``
    return map(tuple, orjson.loads(text))


def load(connection: sqlite3.Connection, head: BlockHead, *, metric: str | None = None) -> Block:
    """Read a block, of metrics only ``metric`` if that is given; raise ``DamagedBlockError`` where it can't be read."""
    try:
        (shapes,) = connection.execute("SELECT shapes FROM blocks WHERE id = ?", (head.id,)).fetchone()
        lowest, highest = places_of(head.id)
        rows = connection.execute(_COLUMNS, {"lowest": lowest, "highest": highest, "metric": metric})
        columns = {id_ % PLACES: Named(name, Column(*column)) for id_, name, *column in rows}
        return Block(head.first, head.last, [(names, marks) for names, marks in orjson.loads(shapes)], columns)
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        raise DamagedBlockError(str(error)) from error


def newest_of(connection: sqlite3.Connection, head: BlockHead) -> Row:
    """Read a block's last reading, which needs none of its columns; it arrived then, or before."""
    (body,) = connection.execute("SELECT CAST(newest AS BLOB) FROM blocks WHERE id = ?", (head.id,)).fetchone()
    return Row(head.last, orjson.loads(body)["ts"], head.greatest_arrived_ms, body)


def write(connection: sqlite3.Connection, id_: int, device: int, block: Block, rows: Rows) -> None:
    """Write a block, in the place of one with this ``id``, within the caller's transaction."""
    remove(connection, id_)
    ranges = (min(rows.times), max(rows.times), min(rows.arrivals), max(rows.arrivals))
    head = (
        id_,
        device,
        block.first,
        block.last,
        *ranges,
        orjson.dumps(block.shapes).decode(),
        rows.bodies[-1].decode(),
    )
    connection.execute("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", head)
    found = [_column(id_ * PLACES + number, named, rows) for number, named in block.columns.items()]
    insert(connection, "columns", placeholders(15), found)


def _column(id_: int, named: Named, rows: Rows) -> tuple[object, ...]:
    name, column, found = named
    if id_ % PLACES < METRICS or found.least is None or found.greatest is None:
        ends: tuple[object, ...] = (None,) * 6
    else:
        least, greatest = ((rows.first + at, rows.times[at]) for at in (found.least_at, found.greatest_at))
        ends = (found.least, *least, found.greatest, *greatest)
    return (id_, name, found.kind, *ends, found.total, found.numbers, *column)


def remove(connection: sqlite3.Connection, id_: int) -> None:
    """Delete a block, if it is there, within the caller's transaction."""
    connection.execute("DELETE FROM blocks WHERE id = ?", (id_,))
    connection.execute("DELETE FROM columns WHERE id BETWEEN ? AND ?", places_of(id_))
