"""Rows of the log: each holds up to 64 readings of one commit, which are numbered from its ``id`` on.

With a row for each reading it took four times as long to write, read and delete one (docs/decisions/0025).
"""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from operator import add, sub
from typing import NamedTuple

import orjson

from gateway.journal.blocks import Row
from gateway.journal.faults import damage
from gateway.journal.texts import NEWLINE, times_of

MOST_IN_ROW = 64
"""More take hardly less time, and a torn page would take all of them."""
_MOST_BYTES = 64 * 1024
"""Of bodies in one row, unless it is one body."""
WIDTH = 3
"""Numbers in ``heads`` for each reading."""
ROW = "(?,?,CAST(? AS TEXT),CAST(? AS TEXT),?)"
"""Places of a row that is inserted."""
WHOLE = "SELECT id, arrived_ms, CAST(heads AS BLOB), CAST(bodies AS BLOB), deliveries FROM log"
"""What ``take_apart`` takes."""
_THESE = f"{WHOLE} WHERE id IN (SELECT (SELECT max(id) FROM log WHERE id <= value) FROM json_each(?)) ORDER BY id"  # noqa: S608  all from here

LogRow = tuple[int, int, bytes, bytes, bytes | None]
"""Number of its first reading; when that arrived, in Unix milliseconds; JSON of device, ``seq`` and milliseconds past
that of each reading, one after the other; the bodies, each in a line; deliveries of the commit."""


class Logged(NamedTuple):
    """Readings of one row of the log, by column."""

    first: int
    """Number of the first."""
    devices: list[int]
    seqs: list[int]
    arrivals: list[int]
    """Unix milliseconds."""
    bodies: list[bytes]

    @property
    def end(self) -> int:
        """The number after the last; a row without readings takes one."""
        return self.first + max(1, len(self.bodies))

    def rows(self, places: Sequence[int]) -> list[Row]:
        """Return the readings at these places in the row."""
        bodies = [self.bodies[at] for at in places]
        times = times_of(bodies)
        return [
            Row(self.seqs[at], ts, self.arrivals[at], body) for at, ts, body in zip(places, times, bodies, strict=True)
        ]

    def rows_of(self, device: int) -> list[Row]:
        """Return the readings of a device."""
        return self.rows([at for at, one in enumerate(self.devices) if one == device])

    def heads(self) -> list[int]:
        """Return what ``log_rows`` takes."""
        return list(chain.from_iterable(zip(self.devices, self.seqs, self.arrivals, strict=True)))


def log_rows(first: int, heads: list[int], bodies: list[bytes], deliveries: bytes | None) -> Iterator[LogRow]:
    """Yield the rows for readings that are numbered from ``first`` on.

    ``heads``: device, ``seq`` and arrival of each, one after the other. Without readings it is a row all the same,
    which takes one number. Raises ``ValueError`` for a body with a line end, which no encoder of ours makes.
    """
    for at in range(0, max(1, len(bodies)), MOST_IN_ROW):
        end = at + MOST_IN_ROW
        yield from _rows(first + at, heads[WIDTH * at : WIDTH * end], bodies[at:end], None if at else deliveries)


def _rows(first: int, heads: list[int], bodies: list[bytes], deliveries: bytes | None) -> Iterator[LogRow]:
    """Yield one row, or more that take half each where it were too large."""
    text = NEWLINE.join(bodies)
    if text.count(NEWLINE) >= max(1, len(bodies)):
        raise ValueError("a body has a line end")
    if len(text) > _MOST_BYTES and len(bodies) > 1:
        half = len(bodies) // 2
        yield from _rows(first, heads[: WIDTH * half], bodies[:half], deliveries)
        yield from _rows(first + half, heads[WIDTH * half :], bodies[half:], None)
        return
    arrived_ms = heads[2] if heads else 0
    heads[2::WIDTH] = map(sub, heads[2::WIDTH], repeat(arrived_ms))
    yield first, arrived_ms, orjson.dumps(heads), text, deliveries


def take_apart(row: LogRow) -> Logged:
    """Return what a row holds; raise ``sqlite3.DatabaseError`` where its columns don't agree."""
    id_, arrived_ms, heads, text, _ = row
    bodies = text.split(NEWLINE) if text else []
    try:
        numbers: list[int] = orjson.loads(heads)
        found = Logged(
            id_, numbers[::WIDTH], numbers[1::WIDTH], list(map(add, numbers[2::WIDTH], repeat(arrived_ms))), bodies
        )
    except (ValueError, TypeError, KeyError) as error:  # KeyError: of an object, which takes slices since Python 3.12
        raise damaged(id_) from error
    if len(numbers) != WIDTH * len(bodies) or not set(map(type, numbers)) <= {int}:
        raise damaged(id_)
    return found


def damaged(row: int) -> sqlite3.DatabaseError:
    """Return the error for a row of the log, or a reading in it, that can't be."""
    return damage(f"row {row} of the log makes no sense")


def rows_at(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Row]:
    """Read the readings with these numbers, in order, as far as they are there."""
    return [row for logged, places, _ in _at(connection, numbers) for row in logged.rows(places)]


def rewrite(connection: sqlite3.Connection, numbers: Sequence[int], change: Callable[[Row], Row]) -> list[Row]:
    """Write the readings with these numbers as ``change`` returns them; return those that are others then."""
    changed: list[Row] = []
    for logged, places, deliveries in _at(connection, numbers):
        before = logged.rows(places)
        new = [(at, one) for at, was in zip(places, before, strict=True) if (one := change(was)) is not was]
        for at, one in new:
            logged.bodies[at], logged.arrivals[at] = one.body, one.arrived_ms
        rows = list(log_rows(logged.first, logged.heads(), logged.bodies, deliveries)) if new else []
        connection.executemany(f"INSERT OR REPLACE INTO log VALUES {ROW}", rows)  # noqa: S608  all from here
        changed += [one for _, one in new]
    return changed


def _at(connection: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[tuple[Logged, Sequence[int], bytes | None]]:
    """Yield the rows that have readings of these numbers, where in each they are, and its deliveries."""
    wanted = sorted(numbers)
    for row in connection.execute(_THESE, (orjson.dumps(wanted).decode(),)).fetchall():
        logged = take_apart(row)
        start, end = (bisect_left(wanted, logged.first + at) for at in (0, len(logged.bodies)))
        yield logged, [number - logged.first for number in wanted[start:end]], row[-1]
