"""Opening a journal: one gateway only, and a damaged file is set aside, never deleted."""

import errno
import fcntl
import os
import sqlite3
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from gateway.errors import JournalDown
from gateway.journal import older, schema
from gateway.journal.carrying import Hole, carry_blocks
from gateway.journal.faults import damage, is_damage, is_refusal, primary_code, words
from gateway.journal.records import Opened
from gateway.journal.rescue import Rescued, carry_over, rescue
from gateway.journal.schema import sibling
from gateway.journal.store import Store
from gateway.journal.tails import Tails
from gateway.settings import JournalSettings

_CHECKED_BYTES = 64 * 2**20
"""Files up to here are checked in full at each start (about 0.1 s)."""


_MOST_NAMED = 5
_SKIPPED = "; where the last number given can't be known, seq goes on far behind it"


class _DamagedError(Exception):
    """The file was damaged and is set aside; says so in words."""

    def __init__(self, path: Path, aside: Path, rescued: Rescued) -> None:
        super().__init__(path, aside, rescued)
        self.rescued = rescued
        self.aside = aside
        self.lost: list[Hole] = []
        self._path = path

    def __str__(self) -> str:
        named = [f"readings {first} to {last} of {device}" for device, first, last in self.lost[:_MOST_NAMED]]
        more = len(self.lost) - len(named)
        pieces = ", ".join([*named, f"{more} more such pieces"] if more else named)
        return (
            f"journal {self._path}: was damaged; it is kept as {self.aside.name}, and a new one was begun"
            f" with the newest readings of {len(self.rescued.devices)} devices, and what else could be read"
            f"{f'; {pieces} are lost' if pieces else ''}{'' if self.rescued.is_sure else _SKIPPED}"
        )


class _OlderError(Exception):
    """The file was an older gateway's; what it holds is in a new one beside it."""


def lock(path: Path) -> IO[bytes]:
    """Keep other gateways from this journal for as long as the returned file is open.

    Raises
    ------
    JournalDown
        Another one has it, or there is none, and its folder can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _open_lock(sibling(path, ".lock"))
    except OSError as error:
        raise JournalDown(f"journal {path}: can't be opened: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise JournalDown(f"journal {path}: is in use by another gateway") from error
    return file


def _open_lock(path: Path) -> IO[bytes]:
    try:
        return path.open("ab")
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return path.open("rb")


def open_store(path: Path, settings: JournalSettings, tails: Tails) -> tuple[Store, Opened]:
    """Open the file, or begin a new one; the caller holds the lock.

    ``Opened.refused`` says why, where there is one that the disk lets be read and not written.

    Raises
    ------
    JournalDown
        There is none and none can be made, it can't be read, or is not for this gateway.
    """
    try:
        older.finish(path)
        try:
            return _load(path, settings, tails)
        except _OlderError:
            return _load(path, settings, tails, note=older.exchange(path))
        except _DamagedError as damaged:
            return _load_rescued(path, settings, tails, damaged)
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, sqlite3.Error) and is_refusal(error) and not is_damage(error):
            with suppress(sqlite3.Error, OSError):
                return _load_unwritten(path, settings, tails, words(path, error))
        raise JournalDown(words(path, error)) from error


def suspect(path: Path) -> None:
    """Have the next start check the whole file, however large: it was found damaged in use."""
    with suppress(OSError):
        sibling(path, ".suspect").touch()


def _load(
    path: Path, settings: JournalSettings, tails: Tails, damaged: _DamagedError | None = None, note: str = ""
) -> tuple[Store, Opened]:
    connection = schema.connect(path, "rwc")
    with ExitStack() as closing:
        closing.callback(connection.close)
        try:
            _prepare(connection, path, damaged)
            store = Store(path, settings, connection, tails)
            opened = _read(store, connection, path, settings, str(damaged or ""))
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            # Before it is closed: closing would remove the log of a file that can't be read.
            raise _set_aside(connection, path) from error
        closing.pop_all()
    with suppress(OSError):  # a read-only disk says so even where there is none
        sibling(path, ".suspect").unlink()
    return store, replace(opened, note=note)


def _load_rescued(path: Path, settings: JournalSettings, tails: Tails, damaged: _DamagedError) -> tuple[Store, Opened]:
    """Begin a new file with what can be read; without blocks, should it be of no use with them."""
    try:
        return _load(path, settings, tails, damaged)
    except _DamagedError:
        damaged.rescued.has_blocks = False
        damaged.lost = []
        return _load(path, settings, tails, damaged)


def _load_unwritten(path: Path, settings: JournalSettings, tails: Tails, refused: str) -> tuple[Store, Opened]:
    """Load what can be read without writing, for a time in which live goes on and the disk is asked again."""
    has_log = sibling(path, "-wal").exists()
    connection = schema.connect(path, "ro" if has_log else "ro&immutable=1")  # else SQLite wants to make a log
    with ExitStack() as closing:
        closing.callback(connection.close)
        if schema.is_new(connection, path) or schema.is_older(connection):
            raise JournalDown(refused)
        store = Store(path, settings, connection, tails)
        opened = store.load("")
        closing.pop_all()
    return store, replace(opened, refused=refused)


def _read(store: Store, connection: sqlite3.Connection, path: Path, settings: JournalSettings, problem: str) -> Opened:
    schema.configure(connection, path, settings.durability, settings.max_size)
    try:
        opened = store.load(problem)
    except (ValueError, TypeError, LookupError) as error:  # SQLite takes it for whole, but a bit of a text isn't right
        raise damage(str(error)) from error
    except sqlite3.OperationalError as error:
        if primary_code(error):
            raise
        raise damage(str(error)) from error  # Python's: a text isn't UTF-8
    with schema.transaction(connection):
        pass  # a file that is locked is refused now, not at the first reading
    return opened if os.access(path, os.W_OK) else replace(opened, refused=f"journal {path}: is read-only")


def _prepare(connection: sqlite3.Connection, path: Path, damaged: _DamagedError | None) -> None:
    if schema.is_new(connection, path):
        schema.create(connection)
        if damaged:
            _carry(connection, damaged)
        return
    if _is_to_check(path):
        _check(connection)
    if schema.is_older(connection):
        if schema.has_blocks(connection):
            older.write_log_anew(connection)
            return
        older.take_over(connection, path)
        raise _OlderError


def _carry(connection: sqlite3.Connection, damaged: _DamagedError) -> None:
    rescued = damaged.rescued
    with schema.transaction(connection):
        carry_over(connection, rescued)
    if rescued.has_blocks:
        with suppress(sqlite3.Error):  # the file that was set aside can't be opened; what goes on is there already
            names = {device.id: name for name, device in rescued.devices.items()}
            damaged.lost = carry_blocks(damaged.aside, connection, names)


def _is_to_check(path: Path) -> bool:
    return path.stat().st_size <= _CHECKED_BYTES or sibling(path, ".suspect").exists()


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise damage(verdict)


def _set_aside(connection: sqlite3.Connection, path: Path) -> _DamagedError:
    earlier = {part.name.partition("Z")[0] for part in path.parent.glob(f"{path.name}.damaged-*")}
    rescued = rescue(connection, 1 + len(earlier))
    aside = sibling(path, f".damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    for suffix in ("", "-wal", "-shm"):
        part = sibling(path, suffix)
        if part.exists():
            part.rename(sibling(aside, suffix))
    return _DamagedError(path, aside, rescued)
