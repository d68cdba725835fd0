"""Opening a journal: one gateway only, and a damaged file is set aside, never deleted."""

import fcntl
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from gateway.errors import JournalDown
from gateway.journal import schema
from gateway.journal.faults import is_damage, words
from gateway.journal.records import Opened
from gateway.journal.store import Store
from gateway.settings import JournalSettings

_CHECKED_BYTES = 64 * 2**20
"""Files up to here are checked in full at each start (about 0.1 s)."""


def sibling(path: Path, suffix: str) -> Path:
    """Return the path beside the journal that has ``suffix`` behind the whole name."""
    return path.with_name(path.name + suffix)


def lock(path: Path) -> IO[bytes]:
    """Keep other gateways from this journal for as long as the returned file is open.

    Raises
    ------
    JournalDown
        Another one has it, or its folder can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = sibling(path, ".lock").open("ab")
    except OSError as error:
        raise JournalDown(f"journal {path}: can't be opened: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise JournalDown(f"journal {path}: is in use by another gateway") from error
    return file


def open_store(path: Path, settings: JournalSettings) -> tuple[Store, Opened]:
    """Open the file, or begin a new one; the caller holds the lock.

    Raises
    ------
    JournalDown
        The file can't be read or written, or is not for this gateway.
    """
    try:
        try:
            return _load(path, settings, "")
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            aside = _set_aside(path)
            return _load(
                path, settings, f"journal {path}: was damaged; it is kept as {aside.name}, a new one was begun"
            )
    except (sqlite3.Error, OSError) as error:
        raise JournalDown(words(path, error)) from error


def suspect(path: Path) -> None:
    """Have the next start check the whole file, however large: it was found damaged in use."""
    sibling(path, ".suspect").touch()


def _load(path: Path, settings: JournalSettings, problem: str) -> tuple[Store, Opened]:
    connection = schema.connect(path, "rwc")
    try:
        if schema.is_new(connection, path):
            schema.create(connection)
        elif _is_to_check(path):
            _check(connection)
        schema.configure(connection, path, settings.durability, settings.max_size)
        store = Store(path, settings, connection)
        opened = Opened(*store.load(), problem)
        with schema.transaction(connection):
            pass  # a file that can only be read is refused now, not at the first reading
    except BaseException:
        connection.close()
        raise
    sibling(path, ".suspect").unlink(missing_ok=True)
    return store, opened


def _is_to_check(path: Path) -> bool:
    return path.stat().st_size <= _CHECKED_BYTES or sibling(path, ".suspect").exists()


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        error = sqlite3.DatabaseError(verdict)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _set_aside(path: Path) -> Path:
    aside = sibling(path, f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    for suffix in ("", "-wal", "-shm"):
        part = sibling(path, suffix)
        if part.exists():
            part.rename(sibling(aside, suffix))
    return aside
