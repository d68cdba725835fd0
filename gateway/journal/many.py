"""Many rows a statement."""

import sqlite3
from collections.abc import Sequence
from itertools import chain

_MOST_ROWS = 512
"""In one statement."""


def placeholders(columns: int) -> str:
    """Return ``(?,?,…)`` for as many columns."""
    return f"({','.join('?' * columns)})"


def insert(
    connection: sqlite3.Connection, into: str, places: str, rows: Sequence[tuple[object, ...]], conflict: str = ""
) -> None:
    """Insert in few statements, of 512, 256, 128, … rows: their texts stay prepared.

    Each step of a statement gives the interpreter's lock away, and beside a busy hub may wait 5 ms
    to have it back: with a step a row a commit has taken a second (docs/decisions/0005).
    """
    done, size = 0, _MOST_ROWS
    while done < len(rows):
        while size > len(rows) - done:
            size //= 2
        part = chain.from_iterable(rows[done : done + size])
        statement = f"INSERT INTO {into} VALUES {','.join([places] * size)} {conflict}"  # noqa: S608  all from here
        connection.execute(statement, tuple(part))
        done += size
