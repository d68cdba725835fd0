"""All readings, one after the other, for programs beside the gateway; with or without a daemon."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gateway.errors import JournalDown
from gateway.journal import schema
from gateway.journal.faults import check_there
from gateway.journal.queries import Queries
from gateway.journal.records import Stored

_AT_ONCE = 5000
_MOST_BYTES = 2 * 2**20
"""Of bodies at once, so that memory is bounded."""


class Export:
    """A journal that is only read; each function raises ``JournalDown``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queries = Queries(path, mode=reading_mode(path))

    def devices(self) -> list[str]:
        """Return which devices there are, by name."""
        check_there(self._path)
        with closing(schema.connect(self._path, reading_mode(self._path))) as connection:
            if schema.is_new(connection, self._path):
                return []
            if schema.is_older(connection):
                raise JournalDown(
                    f"journal {self._path}: is of an older gateway; gatewayd takes it over when it starts"
                )
        return self._queries.devices()

    def readings(self, device: str, start_ts: float | None, end_ts: float | None) -> Iterator[Stored]:
        """Yield the readings of a device with ``start_ts <= ts <= end_ts`` in order of ``seq``."""
        after: int | None = None
        while True:
            page = self._queries.page(
                device,
                after=after,
                start_ts=start_ts,
                end_ts=end_ts,
                limit=_AT_ONCE,
                descending=False,
                most_bytes=_MOST_BYTES,
            )
            yield from page
            if not page:
                return
            after = page[-1].seq

    def problem(self) -> str:
        """Return what could not be read, for people; empty: nothing."""
        return self._queries.stats().problem

    def close(self) -> None:
        """Let the file go."""
        self._queries.close()


def reading_mode(path: Path) -> schema.ReadMode:
    """Return how to read a file: without SQLite's own files beside it, where it has none and we may make none."""
    is_open = os.access(schema.sibling(path, "-wal"), os.F_OK) or os.access(path.parent, os.W_OK)
    return "ro" if is_open else "ro&immutable=1"
