"""The tables of a journal, and connections to them.

``readings`` holds a device's readings side by side, without gaps: retention takes them from the front
only, and never the last. ``spans`` has a row for each ``SPAN`` of them with their least and greatest
``ts``, so that a range of time is found without an index on ``ts``, which would nearly double what a
commit writes (docs/decisions/0005).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from gateway.errors import JournalDown

APPLICATION_ID = 0x54474A4C  # "TGJL"
LAYOUT = 4
"""``user_version``; one more with each change of the tables."""
PAGE_BYTES = 4096
SPAN = 256
"""Readings of one device that a row of ``spans`` covers."""

_BUSY_S = 2.0
_MOST_WAL_PAGES = 1000

# A body is text that people can read with sqlite3 and its JSON functions. It is bound and read as
# bytes: CAST changes the label, not the bytes, and costs nothing that could be measured.
_TABLES = """
CREATE TABLE devices (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, source TEXT NOT NULL, profile TEXT);
CREATE TABLE readings (
    device INTEGER NOT NULL, seq INTEGER NOT NULL, ts REAL NOT NULL, arrived_ms INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (device, seq)
) WITHOUT ROWID;
CREATE TABLE spans (
    device INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    least_ts REAL NOT NULL, greatest_ts REAL NOT NULL,
    PRIMARY KEY (device, first)
) WITHOUT ROWID;
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, packet_id INTEGER NOT NULL, digest BLOB NOT NULL
);
CREATE TABLE probe (body BLOB NOT NULL);
"""
# The large columns last: what a list is sorted by is read without them.
_BOOKS = """
CREATE TABLE rejects (
    id INTEGER PRIMARY KEY, first_ts REAL NOT NULL, digest BLOB NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,
    rule TEXT, flawed INTEGER NOT NULL, size INTEGER NOT NULL, truncated INTEGER NOT NULL,
    topic BLOB NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE repeats (id INTEGER PRIMARY KEY, last_ts REAL NOT NULL, count INTEGER NOT NULL);
CREATE TABLE ledger (
    source TEXT PRIMARY KEY, stored INTEGER NOT NULL, rejected INTEGER NOT NULL, duplicate INTEGER NOT NULL,
    ignored INTEGER NOT NULL, dropped INTEGER NOT NULL
) WITHOUT ROWID;
"""
_TIMES = """
CREATE TABLE unset (
    device INTEGER NOT NULL, first INTEGER NOT NULL, boot TEXT NOT NULL, booted REAL, PRIMARY KEY (device, first)
) WITHOUT ROWID;
CREATE TABLE age (id INTEGER PRIMARY KEY CHECK (id = 1), reached REAL NOT NULL);
"""
# Past which seq a device goes on whose readings a damage took; of the name "": any that has no row.
_RESUME = "CREATE TABLE resume (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;"
_UPGRADES = {1: f"ALTER TABLE devices ADD COLUMN profile TEXT; {_BOOKS}", 2: _TIMES, 3: _RESUME}
"""What makes the next layout of one."""


def connect(path: Path, mode: Literal["ro", "ro&immutable=1", "rw", "rwc"]) -> sqlite3.Connection:
    """Open a connection that may change threads, and on which transactions are begun by hand."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)


def wal_pages(max_size: int) -> int:
    """Return how long the write-ahead log of a journal of ``max_size`` bytes may grow."""
    return min(_MOST_WAL_PAGES, max(16, max_size // PAGE_BYTES // 8))


def configure(connection: sqlite3.Connection, path: Path, durability: str, max_size: int) -> None:
    """Set what holds for a connection that writes; raise ``JournalDown`` where WAL can't be had."""
    pages = wal_pages(max_size)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalDown(f"journal {path}: its file system can't hold a write-ahead log; choose a local disk")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
    connection.execute(f"PRAGMA journal_size_limit = {pages * PAGE_BYTES}")


def is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell whether the file is still empty.

    Raises
    ------
    JournalDown
        It is another program's, or a newer gateway's.
    """
    application, layout, objects = connection.execute(
        "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),"
        " (SELECT count(*) FROM sqlite_master)"
    ).fetchone()
    if application == 0 and layout == 0 and objects == 0:
        return True
    if application != APPLICATION_ID:
        raise JournalDown(f"journal {path}: is a database of another program; move it away, or change state_dir")
    if layout > LAYOUT:
        raise JournalDown(f"journal {path}: was written by a newer gateway (layout {layout}, this one knows {LAYOUT})")
    return False


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, all or none, in an empty file."""
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # so that a smaller max_size makes the file smaller
    connection.executescript(
        f"BEGIN IMMEDIATE; {_TABLES} {_BOOKS} {_TIMES} {_RESUME}"
        f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT}; COMMIT;"
    )


def is_older(connection: sqlite3.Connection) -> bool:
    """Tell whether an older gateway wrote the tables, so that they are to be upgraded."""
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(layout < LAYOUT)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring the tables of an older gateway up to date, all or none; what they hold stays."""
    if is_older(connection):
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        steps = " ".join(_UPGRADES[step] for step in range(layout, LAYOUT))
        connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {LAYOUT}; COMMIT;")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is written inside; on any error, of the commit too, nothing was."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
