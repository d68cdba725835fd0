"""The journal's reading side: its own connection, which sees what is committed and blocks no commit."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import inf
from pathlib import Path

from gateway.errors import JournalDown
from gateway.journal import schema
from gateway.journal.carrying import holes
from gateway.journal.charts import Chart
from gateway.journal.counting import count
from gateway.journal.faults import words
from gateway.journal.ranges import LAST, Wanted, named
from gateway.journal.records import Absence, JournalStats, KeptReject, Stored
from gateway.journal.shelf import BlockHead
from gateway.journal.tails import Tails

_PART_BYTES = 256 * 1024
"""Of bodies that ``after`` reads at a time: what is sent to a viewer in one piece."""
_PAGE_BYTES = 8 * 2**20
_MOST_NAMED = 5
"""Damaged blocks that are named to people."""

_TAILS = """
SELECT d.name, min(l.seq), max(l.seq), min(l.number) FROM devices d JOIN logged l ON l.device = d.id
WHERE l.seq > coalesce((SELECT max(last) FROM blocks WHERE device = d.id), 0) GROUP BY d.id
"""

# Devices whose numbers have leapt within their blocks.
_LEAPS = """
SELECT count(*) FROM resume JOIN devices d USING (name)
WHERE seq < (SELECT last FROM blocks WHERE device = d.id ORDER BY first DESC LIMIT 1)
"""

# Of a device: what is missing between two blocks, and where its numbers leapt behind the last one.
_MISSING = """
WITH mine AS (
    SELECT first, last, lag(last) OVER (ORDER BY first) AS before FROM blocks
    WHERE device = (SELECT id FROM devices WHERE name = :device)
)
SELECT max(begin, :low), min(end, :high) FROM (
    SELECT before + 1 AS begin, first - 1 AS end FROM mine
    UNION ALL SELECT (SELECT max(last) + 1 FROM mine), seq FROM resume WHERE name = :device
) WHERE begin <= end AND begin <= :high AND end >= :low ORDER BY begin
"""

_REJECTS = """
SELECT r.id, first_ts, source, reason, rule, flawed, size, truncated, topic, payload,
       coalesce(p.last_ts, first_ts) AS newest, 1 + coalesce(p.count, 0)
FROM rejects r LEFT JOIN repeats p ON p.id = r.id
"""
_NEWEST_REJECTS = f"{_REJECTS} ORDER BY newest DESC, r.id DESC LIMIT ?"
_THESE_REJECTS = f"{_REJECTS} WHERE r.id IN (SELECT value FROM json_each(?)) ORDER BY r.id"  # noqa: S608  no text from outside

# Those that a clock stamped which wasn't set have a boot until they are put right.
_ABSENCES = """
SELECT source, reason, since, until FROM absences
WHERE boot IS NULL AND source IN ('', ?) AND since <= ? AND coalesce(until, 9e999) >= ? ORDER BY since DESC LIMIT ?
"""


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
    tails
        Where the writer of this process has put what is not packed yet; without, the whole log is searched.
    mode
        ``ro&immutable=1``: of a file that nobody writes.
    """

    def __init__(
        self,
        path: Path,
        keeps_open: Callable[[], bool] = lambda: True,
        tails: Tails | None = None,
        mode: schema.ReadMode = "ro",
    ) -> None:
        self.path = path
        self._keeps_open = keeps_open
        self._tails = tails
        self._mode: schema.ReadMode = mode
        self._damaged: dict[tuple[str, int], BlockHead] = {}
        self._holes: dict[str, list[tuple[int, int]]] | None = None
        self._leaps = 0
        self._connection: sqlite3.Connection | None = None

    def after(
        self, device: str, after: int, upto: int | None, limit: int, most_bytes: int = _PART_BYTES
    ) -> list[Stored]:
        """Return the first ``limit`` readings with ``after < seq <= upto``, in order of ``seq``.

        They end early with the first, if need be the only one, whose body goes past ``most_bytes``.
        """
        return self._select(device, Wanted(limit, most_bytes, low=after + 1, high=LAST if upto is None else upto))

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
        wanted = Wanted(limit, most_bytes, descending=descending)
        if after is not None:
            wanted.low, wanted.high = (1, after - 1) if descending else (after + 1, LAST)
        wanted.start = -inf if start_ts is None else start_ts
        wanted.end = inf if end_ts is None else end_ts
        return self._select(device, wanted)

    def chart(
        self, device: str, *, metric: str, start_ts: float | None, end_ts: float | None, most: int
    ) -> list[Stored]:
        """Return the readings of a metric, with it alone, in a range of ``ts``: about ``most``, with the extremes."""
        start, end = -inf if start_ts is None else start_ts, inf if end_ts is None else end_ts
        return self._select(device, Chart(metric, most, start, end))

    def missing(self, device: str, low: int, high: int) -> list[tuple[int, int]]:
        """Return from and to which ``seq`` within ``low`` to ``high`` there are none between readings, in order."""
        with self._reading() as connection:
            return connection.execute(_MISSING, {"device": device, "low": low, "high": high}).fetchall()

    def stats(self) -> JournalStats:
        """Return the journal's size; cheap, however many readings and devices there are."""
        tails = self._tails.ends() if self._tails else None
        with self._reading() as connection:
            if tails is None:
                tails = {name: (first, last, row) for name, first, last, row in connection.execute(_TAILS)}
            (leaps,) = connection.execute(_LEAPS).fetchone()
            if self._holes is None or leaps != self._leaps:  # else they come with damage, at a start
                self._leaps = leaps
                self._holes = defaultdict(list)
                for name, *ends in holes(connection):
                    self._holes[name].append((ends[0], ends[1]))
            readings, oldest_ts = count(connection, tails, self._holes)
        return JournalStats(readings, schema.bytes_on_disk(self.path), oldest_ts, self._problem())

    def _problem(self) -> str:
        if not self._damaged:
            return ""
        found = [(device, head) for (device, _), head in list(self._damaged.items())[:_MOST_NAMED]]
        more = len(self._damaged) - len(found)
        return f"journal {self.path}: is damaged: {named(found)}{f', and {more} more' if more else ''}"

    def devices(self) -> list[str]:
        """Return the names of all devices, sorted."""
        with self._reading() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM devices ORDER BY name")]

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

    def absences(self, source: str, start_ts: float | None, end_ts: float | None, limit: int) -> list[Absence]:
        """Return when this source or the gateway was away in a range of time: the newest, oldest first."""
        start, end = -inf if start_ts is None else start_ts, inf if end_ts is None else end_ts
        with self._reading() as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'absences'").fetchone():
                return []
            rows = connection.execute(_ABSENCES, (source, end, start, limit)).fetchall()
        return [Absence(*row) for row in reversed(rows)]

    def close(self) -> None:
        """Let the file go; a later call opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _select(self, device: str, wanted: Wanted | Chart) -> list[Stored]:
        # Before the state of the file that is read: what leaves the log until then is in blocks.
        tail = self._tails.of(device) if self._tails else None
        with self._reading() as connection:
            row = connection.execute("SELECT id FROM devices WHERE name = ?", (device,)).fetchone()
            return wanted.select(connection, row[0], tail, partial(self._note, device)) if row else []

    def _note(self, device: str, head: BlockHead, _: str) -> None:
        self._damaged[device, head.first] = head

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one state of the file throughout."""
        try:
            if self._connection is None:
                self._connection = schema.connect(self.path, self._mode)
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
