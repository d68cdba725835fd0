"""A copy of the whole journal, of one moment, while it is written to; and what is in a copy."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import JournalDown
from gateway.journal import schema
from gateway.journal.exporting import reading_mode
from gateway.journal.faults import check_there, words

_PAGES_AT_ONCE = 4096
_STEPS = 100_000
"""Of SQLite's machine between two calls of ``pause``."""
_LASTS = """
SELECT name, max(last) FROM (SELECT device, last FROM blocks UNION ALL SELECT device, seq FROM logged) f
JOIN devices d ON d.id = f.device GROUP BY d.id ORDER BY name
"""
_COUNTS = """
SELECT name, sum(n) FROM (
    SELECT device, last - first + 1 AS n FROM blocks UNION ALL
    SELECT l.device, 1 FROM logged l WHERE l.seq > coalesce(
        (SELECT last FROM blocks WHERE device = l.device ORDER BY first DESC LIMIT 1), 0)
) f JOIN devices d ON d.id = f.device GROUP BY d.id ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a journal holds."""

    layout: int
    readings: Mapping[str, int]
    """By device: how many."""
    last: Mapping[str, int]
    """By device: the greatest ``seq``."""


def copy(path: Path, target: Path, pause: Callable[[], object]) -> None:
    """Write the journal as it is now to a new file, beside a gateway that goes on writing.

    It is read in one transaction: else SQLite would begin anew with each commit. Until its end the write-ahead log
    grows.

    Parameters
    ----------
    pause
        Called after each part of 2 MiB, to leave the disk to others.

    Raises
    ------
    JournalDown
        There is none, it can't be read or copied, or is not of this layout.
    """
    check_there(path)
    try:
        with closing(schema.connect(path, reading_mode(path))) as source, closing(sqlite3.connect(target)) as made:
            source.execute("BEGIN")
            check_layout(source, path)
            made.execute("PRAGMA synchronous = OFF")  # the caller syncs it, part by part
            source.backup(made, pages=_PAGES_AT_ONCE, progress=lambda *_: pause())
            made.execute("PRAGMA journal_mode = DELETE").fetchone()  # so that it is one file wherever it is opened
    except sqlite3.Error as error:
        raise JournalDown(words(path, error)) from error


def examine(path: Path, pause: Callable[[], object] = lambda: None) -> Contents:
    """Check a copy as a whole, and count what is in it.

    Parameters
    ----------
    pause
        Called some 100 times a second.

    Raises
    ------
    JournalDown
        It is damaged, no journal, or not of this layout.
    """
    try:
        with closing(schema.connect(path, "ro&immutable=1")) as connection:
            check_layout(connection, path)
            connection.set_progress_handler(lambda: bool(pause()), _STEPS)
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise JournalDown(f"journal {path}: is damaged ({verdict.splitlines()[-1]})")
            return Contents(schema.LAYOUT, dict(connection.execute(_COUNTS).fetchall()), lasts(connection))
    except sqlite3.Error as error:
        raise JournalDown(words(path, error)) from error


def lasts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the greatest ``seq`` of each device."""
    return dict(connection.execute(_LASTS).fetchall())


def check_layout(connection: sqlite3.Connection, path: Path) -> None:
    """Raise ``JournalDown`` unless it is a journal as this gateway writes them."""
    if schema.is_new(connection, path):
        raise JournalDown(f"journal {path}: is empty")
    if schema.is_older(connection):
        raise JournalDown(f"journal {path}: is of an older gateway; gatewayd takes it over when it starts")
