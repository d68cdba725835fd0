"""The journal's reading side: its own connection, which sees what is committed and blocks no commit."""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from math import inf
from pathlib import Path

from gateway.errors import JournalDown
from gateway.journal import schema
from gateway.journal.faults import words
from gateway.journal.records import JournalStats, KeptReject, Stored

_PART_BYTES = 256 * 1024
"""Of bodies that ``after`` reads at a time: what is sent to a viewer in one piece."""
_PAGE_BYTES = 8 * 2**20
_LAST = 2**63 - 1
"""SQLite's greatest integer: no ``seq`` is past it."""

_READINGS = """
SELECT seq, ts, CAST(body AS BLOB) FROM readings
WHERE device = :device AND seq BETWEEN max(:low, :first) AND min(:high, :last) AND ts BETWEEN :start AND :end
"""
_READINGS_IN = {False: _READINGS + "ORDER BY seq", True: _READINGS + "ORDER BY seq DESC"}
# The parts of a device that can have such a ts: the spans that meet it, and what comes after the last span.
_PARTS = """
SELECT first, last FROM spans
WHERE device = :device AND first BETWEEN :low - :span AND :high AND least_ts <= :end AND greatest_ts >= :start
UNION ALL
SELECT coalesce((SELECT last + 1 FROM spans WHERE device = :device ORDER BY first DESC LIMIT 1), 1), :high
"""
_PARTS_IN = {False: _PARTS + "ORDER BY 1", True: _PARTS + "ORDER BY 1 DESC"}
# A device's readings have no gaps, so two steps down the tree count them.
_STATS = """
WITH ends AS (
    SELECT id, (SELECT min(seq) FROM readings WHERE device = id) AS first,
               (SELECT max(seq) FROM readings WHERE device = id) AS last FROM devices
)
SELECT coalesce(sum(last - first + 1), 0),
       min((SELECT ts FROM readings WHERE device = ends.id AND seq = ends.first)) FROM ends
"""


@dataclass(slots=True)
class _Wanted:
    """Which readings of a device: in the range of ``seq`` and of ``ts``, both ends included."""

    limit: int
    most_bytes: int
    low: int = 1
    high: int = _LAST
    start: float = -inf
    end: float = inf
    descending: bool = False

    def select(self, connection: sqlite3.Connection, device: int) -> list[Stored]:
        """Read them: never more than ``limit``, and none after the one whose body goes past ``most_bytes``."""
        found: list[Stored] = []
        left = self.most_bytes
        with closing(self._all(connection, device)) as readings:
            for stored in islice(readings, self.limit):
                found.append(stored)
                left -= len(stored.body)
                if left < 0:
                    break
        return found

    def _all(self, connection: sqlite3.Connection, device: int) -> Generator[Stored, None, None]:
        """Read one at a time, whatever the bounds."""
        filters = {"device": device, "low": self.low, "high": self.high, "start": self.start, "end": self.end}
        for first, last in self._parts(connection, filters):
            part = {"first": first, "last": last}
            yield from map(Stored._make, connection.execute(_READINGS_IN[self.descending], filters | part))

    def _parts(self, connection: sqlite3.Connection, filters: dict[str, float]) -> Iterable[tuple[int, int]]:
        if self.start == -inf and self.end == inf:
            return [(self.low, self.high)]
        return connection.execute(_PARTS_IN[self.descending], filters | {"span": schema.SPAN})


_REJECTS = """
SELECT r.id, first_ts, source, reason, rule, flawed, size, truncated, topic, payload,
       coalesce(p.last_ts, first_ts) AS newest, 1 + coalesce(p.count, 0)
FROM rejects r LEFT JOIN repeats p ON p.id = r.id
"""
_NEWEST_REJECTS = f"{_REJECTS} ORDER BY newest DESC, r.id DESC LIMIT ?"
_THESE_REJECTS = f"{_REJECTS} WHERE r.id IN (SELECT value FROM json_each(?)) ORDER BY r.id"  # noqa: S608  no text from outside


class Queries:
    """Plain blocking functions for one native thread at a time; each raises ``JournalDown``.

    The file is opened by the first call, which may come from any thread, once ``Journal.open`` is through.

    Parameters
    ----------
    path
        Of the SQLite file.
    keeps_open
        Whether it may stay open between calls. Not so while the writer waits for the disk: SQLite shares the
        log's index among the connections of a process, and an index opened on a read-only disk would stay
        read-only for the writer too.
    """

    def __init__(self, path: Path, keeps_open: Callable[[], bool] = lambda: True) -> None:
        self.path = path
        self._keeps_open = keeps_open
        self._connection: sqlite3.Connection | None = None

    def after(
        self, device: str, after: int, upto: int | None, limit: int, most_bytes: int = _PART_BYTES
    ) -> list[Stored]:
        """Return the first ``limit`` readings with ``after < seq <= upto``, in order of ``seq``.

        They end early with the first, if need be the only one, whose body goes past ``most_bytes``.
        """
        return self._select(device, _Wanted(limit, most_bytes, low=after + 1, high=_LAST if upto is None else upto))

    def page(  # noqa: PLR0913  one parameter a filter
        self,
        device: str,
        *,
        after: int | None,
        start_ts: float | None,
        end_ts: float | None,
        limit: int,
        descending: bool,
        most_bytes: int = _PAGE_BYTES,
    ) -> list[Stored]:
        """Return at most ``limit`` readings with ``start_ts <= ts <= end_ts``, in order of ``seq`` or against it.

        ``after`` is the last ``seq`` of the page before, in the same order: ascending, greater
        ones follow; descending, lesser ones. They end early with the first, if need be the only one,
        whose body goes past ``most_bytes``.
        """
        wanted = _Wanted(limit, most_bytes, descending=descending)
        if after is not None:
            wanted.low, wanted.high = (1, after - 1) if descending else (after + 1, _LAST)
        wanted.start = -inf if start_ts is None else start_ts
        wanted.end = inf if end_ts is None else end_ts
        return self._select(device, wanted)

    def stats(self) -> JournalStats:
        """Return the journal's size; cheap, however many readings there are."""
        with self._reading() as connection:
            readings, oldest_ts = connection.execute(_STATS).fetchone()
        return JournalStats(readings, self._bytes(), oldest_ts)

    def newest_rejects(self, limit: int) -> tuple[list[KeptReject], int]:
        """Return the rejects that came last, newest first, and how many there are in all.

        A repetition is seen about a second after it came.
        """
        with self._reading() as connection:
            found = [KeptReject.from_row(row) for row in connection.execute(_NEWEST_REJECTS, (limit,))]
            (total,) = connection.execute("SELECT count(*) FROM rejects").fetchone()
        return found, total

    def rejects(self, ids: Sequence[int]) -> list[KeptReject]:
        """Return these rejects, as far as they are still there, oldest first."""
        with self._reading() as connection:
            return [KeptReject.from_row(row) for row in connection.execute(_THESE_REJECTS, (str(list(ids)),))]

    def reject_ids(self) -> list[int]:
        """Return which rejects there are, oldest first."""
        with self._reading() as connection:
            return [id_ for (id_,) in connection.execute("SELECT id FROM rejects ORDER BY id")]

    def close(self) -> None:
        """Let the file go; a later call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _select(self, device: str, wanted: "_Wanted") -> list[Stored]:
        with self._reading() as connection:
            row = connection.execute("SELECT id FROM devices WHERE name = ?", (device,)).fetchone()
            return wanted.select(connection, row[0]) if row else []

    def _bytes(self) -> int:
        files = (self.path.with_name(self.path.name + suffix) for suffix in ("", "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one state of the file throughout."""
        try:
            if self._connection is None:
                self._connection = schema.connect(self.path, "ro")
            self._connection.execute("BEGIN")
            yield self._connection
            self._connection.execute("COMMIT")
            if not self._keeps_open():
                self.close()
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise JournalDown(words(self.path, error)) from error
        except BaseException:
            self.close()
            raise
