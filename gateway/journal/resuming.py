"""A restored journal goes on with numbers that no reading ever had.

Its readings keep theirs. So do those that came after it was copied, in whatever a viewer or another program has of
them: that is why each device goes on far past any number that can have been given.
"""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from gateway.errors import JournalDown
from gateway.journal import absences, schema
from gateway.journal.copying import lasts
from gateway.journal.faults import words
from gateway.journal.opening import open_store
from gateway.journal.packing import Packing
from gateway.journal.rescue import MARGIN, OTHERS
from gateway.journal.salvage import GREATEST
from gateway.journal.tails import Tails
from gateway.runtime import monotonic
from gateway.settings import JournalSettings

_EPOCH = 1_577_836_800
"""2020 in Unix seconds."""
_NUMBERS_A_SECOND = 1_000_000


def last_numbers(path: Path) -> Mapping[str, int]:
    """Return the greatest ``seq`` that a journal gave each device, as far as it is there and can be read."""
    with suppress(sqlite3.Error, OSError), closing(schema.connect(path, "ro")) as connection:
        return _given(connection)
    return {}


def go_on_past(path: Path, given: Mapping[str, int], at: float) -> Mapping[str, int]:
    """Let a copy go on past ``given`` and past all that it has; return past which ``seq``, by device.

    That is the time in microseconds since 2020, as no device makes more than a reading a microsecond: to restore
    the same copy again, with nothing known of what came in between, gives other numbers too. By a clock that isn't
    set it is 10^9 past the last number known. The log is packed, for numbers leap between blocks only.

    Parameters
    ----------
    path
        Of the copy, which nobody else has open.
    given
        By device; ``""``: any other.
    at
        Unix seconds.

    Raises
    ------
    JournalDown
        It can't be read or written.
    """
    settings = JournalSettings()
    store, _ = open_store(path, settings, Tails())
    try:
        _pack(Packing(path, store, settings.max_size, monotonic))
        with store.writing() as connection:
            found = _given(connection)
            names = {*found, *given, OTHERS}
            past = {name: _past(max(found.get(name, 0), given.get(name, 0)), at) for name in sorted(names)}
            connection.executemany("INSERT OR REPLACE INTO resume VALUES (?, ?)", past.items())
            absences.was_restored(connection)
    except sqlite3.Error as error:
        raise JournalDown(words(path, error)) from error
    finally:
        store.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return past


def _pack(packing: Packing) -> None:
    packing.hurry()
    while packing.step():
        pass
    if packing.problem:
        raise JournalDown(packing.problem)


def _given(connection: sqlite3.Connection) -> dict[str, int]:
    found: dict[str, int] = dict(connection.execute("SELECT name, seq FROM resume").fetchall())
    for name, seq in lasts(connection).items():
        found[name] = max(seq, found.get(name, 0))
    return found


def _past(seq: int, at: float) -> int:
    by_time = int((at - _EPOCH) * _NUMBERS_A_SECOND)
    return min(by_time if by_time > seq else seq + MARGIN, GREATEST)
