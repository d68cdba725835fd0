"""The tables of a journal, and connections to them.

``log`` is appended to by commits; what it holds is packed into ``blocks`` of one device, whose values lie by column
in ``columns`` (docs/decisions/0025). A device's readings have no gaps: retention takes them from the front only, and
never the last. But numbers leap where a backup was restored, and damage takes blocks: always between two blocks, or
between blocks and the log.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from gateway.errors import JournalDown
from gateway.journal.views import VIEWS

ReadMode = Literal["ro", "ro&immutable=1"]
APPLICATION_ID = 0x54474A4C  # "TGJL"
LAYOUT = 6
"""``user_version``; one more with each change of the tables."""
PAGE_BYTES = 512
"""The smallest there is: a commit of one reading dirties one page, and the log takes all of it."""

_BUSY_S = 2.0
_MOST_WAL_BYTES = 4 * 2**20
_LEAST_WAL_BYTES = 64 * 1024

# A body is text that people can read with sqlite3 and its JSON functions. It is bound and read as
# bytes: CAST changes the label, not the bytes, and costs nothing that could be measured.
# A row of the log holds up to 64 readings (see ``logged``).
LOG = """
CREATE TABLE log (
    id INTEGER PRIMARY KEY, arrived_ms INTEGER NOT NULL, heads TEXT NOT NULL, bodies TEXT NOT NULL, deliveries BLOB
);
"""
# A column's id is 512 * block + its number (see ``blocks``); ``data`` is what sqlar_uncompress(data, size) takes.
_TABLES = f"""
CREATE TABLE devices (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, source TEXT NOT NULL, profile TEXT);
{LOG}
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    least_ts REAL NOT NULL, greatest_ts REAL NOT NULL,
    least_arrived_ms INTEGER NOT NULL, greatest_arrived_ms INTEGER NOT NULL,
    shapes TEXT NOT NULL, newest TEXT NOT NULL
);
CREATE UNIQUE INDEX blocks_of_device ON blocks (device, first);
CREATE TABLE columns (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL,
    least NUMERIC, least_seq INTEGER, least_ts REAL, greatest NUMERIC, greatest_seq INTEGER, greatest_ts REAL,
    sum REAL NOT NULL, count INTEGER NOT NULL,
    scale INTEGER, step INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE TABLE deliveries (source TEXT PRIMARY KEY, upto INTEGER NOT NULL, pieces BLOB NOT NULL) WITHOUT ROWID;
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
# Past which seq a device goes on whose readings a damage took, or of which a backup was restored; of the name "":
# any that has no row.
_RESUME = "CREATE TABLE resume (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;"
# Of source "": of the gateway. An older gateway doesn't look at them, so the layout is the same with and without.
# ``boot``: of which one a time in seconds since the boot is, where the clock wasn't set.
_ABSENCES = """
CREATE TABLE IF NOT EXISTS absences (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, reason TEXT NOT NULL, since REAL NOT NULL, until REAL, boot TEXT
);
CREATE TABLE IF NOT EXISTS alive (
    id INTEGER PRIMARY KEY CHECK (id = 1), at REAL NOT NULL, boot TEXT, reason TEXT NOT NULL
);
"""


def sibling(path: Path, suffix: str) -> Path:
    """Return the path beside the journal that has ``suffix`` behind the whole name."""
    return path.with_name(path.name + suffix)


def bytes_on_disk(path: Path) -> int:
    """Return how large a journal is, with its write-ahead log."""
    return sum(file.stat().st_size for file in (path, sibling(path, "-wal")) if file.exists())


def connect(path: Path, mode: ReadMode | Literal["rw", "rwc"]) -> sqlite3.Connection:
    """Open a connection that may change threads, and on which transactions are begun by hand."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)


def wal_pages(max_size: int) -> int:
    """Return how long the write-ahead log of a journal of ``max_size`` bytes may grow."""
    return min(_MOST_WAL_BYTES, max(_LEAST_WAL_BYTES, max_size // 8)) // PAGE_BYTES


def configure(connection: sqlite3.Connection, path: Path, durability: str, max_size: int) -> None:
    """Set what holds for a connection that writes; raise ``JournalDown`` where WAL can't be had."""
    pages = wal_pages(max_size)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalDown(f"journal {path}: its file system can't hold a write-ahead log; choose a local disk")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
    connection.execute("PRAGMA secure_delete = OFF")  # else what the log no longer needs is written once more
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
    # Views first: SQLite 3.40 doesn't check the list of free pages where the last in the schema is a view.
    connection.executescript(
        f"BEGIN IMMEDIATE; {VIEWS} {_TABLES} {_BOOKS} {_TIMES} {_RESUME} {_ABSENCES}"
        f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT}; COMMIT;"
    )


def add_absences(connection: sqlite3.Connection) -> None:
    """Make the tables that a journal from before there were absences lacks, within the caller's transaction."""
    for statement in filter(str.strip, _ABSENCES.split(";")):
        connection.execute(statement)


def is_older(connection: sqlite3.Connection) -> bool:
    """Tell whether an older gateway wrote the tables, so that it is to be taken over into a new file."""
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(layout < LAYOUT)


def has_blocks(connection: sqlite3.Connection) -> bool:
    """Tell whether an older gateway's tables differ in the log alone."""
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(layout == LAYOUT - 1)


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


@contextmanager
def no_waiting(connection: sqlite3.Connection) -> Iterator[None]:
    """Don't wait for others inside: what they are in the way of isn't done."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_S * 1000)}")
