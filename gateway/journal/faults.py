"""What SQLite's errors mean to people, and to the writer."""

import os
import sqlite3
from pathlib import Path

from gateway.errors import JournalDown

_WORDS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an input/output error",
    sqlite3.SQLITE_READONLY: "is read-only",
    sqlite3.SQLITE_CANTOPEN: "can't be opened",
    sqlite3.SQLITE_CORRUPT: "is damaged; the next start sets it aside and begins a new one",
    sqlite3.SQLITE_NOTADB: "is not a journal",
    sqlite3.SQLITE_BUSY: "is locked by another program",
    sqlite3.SQLITE_LOCKED: "is locked by another program",
    sqlite3.SQLITE_PERM: "may not be accessed by this user; try sudo, or become a member of its group",
}


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, 0 where the error isn't SQLite's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def words(path: Path, error: Exception) -> str:
    """Return one line for people: which file, and what is wrong with it."""
    code = primary_code(error) if isinstance(error, sqlite3.Error) else 0
    if code == sqlite3.SQLITE_CANTOPEN:
        code = _why_not_opened(path)
    known = _WORDS.get(code)
    return f"journal {path}: {known or f'{type(error).__name__}: {error}'}"


def _why_not_opened(path: Path) -> int:
    try:
        is_there = path.exists()
    except OSError:
        return sqlite3.SQLITE_PERM
    # It can't be opened only because the log beside it can't be made.
    return sqlite3.SQLITE_READONLY if is_there and not os.access(path, os.W_OK) else sqlite3.SQLITE_CANTOPEN


def check_there(path: Path) -> None:
    """Raise ``JournalDown`` if there is no journal, or none that may be looked at."""
    try:
        is_there = path.exists()
    except OSError as error:  # a folder on the way may not be entered
        raise JournalDown(f"journal {path}: {_WORDS[sqlite3.SQLITE_PERM]}") from error
    if not is_there:
        raise JournalDown(f"journal {path}: there is none; gatewayd makes it when it is first started")


def damage(what: str) -> sqlite3.DatabaseError:
    """Return the error for content that SQLite takes for whole, and that can't be."""
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def is_damage(error: Exception) -> bool:
    """Tell whether the file's content is broken, so that waiting won't help."""
    return isinstance(error, sqlite3.Error) and primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_refusal(error: Exception) -> bool:
    """Tell whether the disk or the file refused; else the fault is in what was to be written.

    ``IntegrityError`` and the like are subclasses, and are not meant: such an entry would be
    refused for ever.
    """
    return type(error) in (sqlite3.OperationalError, sqlite3.DatabaseError)


def needs_new_connection(error: Exception) -> bool:
    """Tell whether the connection may be useless: its descriptors point at a disk that went away."""
    waits = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return not (isinstance(error, sqlite3.Error) and primary_code(error) in waits)
