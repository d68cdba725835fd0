"""Reading a damaged file: what lies beside the pages that can't be read."""

import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

Row = tuple[Any, ...]

GREATEST = 2**53
"""No ``seq`` is greater: past it JavaScript's numbers have holes."""
_LAST = 2**63 - 1
"""SQLite's greatest integer."""


class Salvaged(NamedTuple):
    """Rows of a table, in the order of their first column, which is its key."""

    rows: list[Row]
    all_there: bool
    """Nothing was in the way."""


class Newest(NamedTuple):
    """What is known of the end of a device's rows."""

    row: Row | None
    is_last: bool
    """Nothing that can't be read lies behind it."""


def salvage(connection: sqlite3.Connection, table: str, key: str, columns: tuple[Any, ...]) -> Salvaged:
    """Read a table from both ends, from each as far as that goes; only rows of these types of columns."""
    found: dict[Any, Row] = {}
    all_there = False
    for order in ("", "DESC"):
        try:
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY {key} {order}"):  # noqa: S608  our own names
                if is_like(row, columns):
                    found[row[0]] = row
        except sqlite3.Error:
            continue
        all_there = True
        break
    return Salvaged([found[key] for key in sorted(found)], all_there)


def is_like(row: Row, columns: tuple[Any, ...]) -> bool:
    """Tell whether ``row`` has values of these types; an older gateway's may have fewer columns."""
    return len(row) <= len(columns) and all(map(isinstance, row, columns))


def newest(connection: sqlite3.Connection, query: str, device: int, is_sound: Callable[[Row], bool]) -> Newest:
    """Return the greatest row of a device that can be read, or one near to it.

    ``query`` takes the device and a number, and returns some rows from that number down. Where the way
    to the last row can't be read, the number up to which one can is found by halving.
    """
    try:
        return _first_sound(connection.execute(query, (device, _LAST)), is_sound)
    except sqlite3.Error:
        return Newest(_below_the_damage(connection, query, device, is_sound), is_last=False)


def _below_the_damage(
    connection: sqlite3.Connection, query: str, device: int, is_sound: Callable[[Row], bool]
) -> Row | None:
    best, low, high = None, 0, GREATEST
    while high - low > 1:
        middle = (low + high) // 2
        try:
            found = _first_sound(connection.execute(query, (device, middle)), is_sound)
        except sqlite3.Error:
            high = middle
        else:
            low, best = middle, found.row or best
    return best


def _first_sound(rows: sqlite3.Cursor, is_sound: Callable[[Row], bool]) -> Newest:
    number = -1
    for number, row in enumerate(rows):
        if is_sound(row):
            return Newest(row, is_last=number == 0)
    return Newest(None, is_last=number < 0)
