"""Messages that were refused, kept raw: a row for each that is another one, and a count of its repetitions.

A flood must neither fill the disk nor wear it out. Rows are appended, and the oldest go many at a
time; what is known of rows is in memory, so that nothing is looked up; repetitions are gathered,
and written about once a second to a narrow table of their own (docs/decisions/0009).
"""

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple

from gateway.journal.drafts import ROW_BYTES, Draft, Repeats, digest_of
from gateway.journal.many import insert, placeholders
from gateway.model import Entry, Outcome

MOST_ROWS = 10_000
MOST_BYTES = 16 * 2**20
_SPARE = 32
"""Where some must go, a 32nd of all goes with them: what is freed together dirties few pages."""
_MOST_WAITING = 512


class _Known(NamedTuple):
    digest: bytes
    cost: int


class RejectBook:
    """What is known in memory of the rows in the file; the writer's thread only.

    Parameters
    ----------
    most_bytes
        What all rows together may take, about.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.repeats: dict[int, Repeats] = {}
        """Of rows in the file; not written yet."""
        self.waiting: deque[Draft] = deque(maxlen=_MOST_WAITING)
        """Those that came while the disk took nothing, the newest."""
        self._ids: dict[bytes, int] = {}
        self._known: dict[int, _Known] = {}  # oldest first
        self._bytes = 0
        self._last_id = 0

    def load(self, connection: sqlite3.Connection) -> None:
        """Read what the file has."""
        rows = connection.execute(
            "SELECT id, digest, ? + length(topic) + length(payload) + length(reason) FROM rejects ORDER BY id",
            (ROW_BYTES,),
        )
        for id_, digest, size in rows:
            self._learn(id_, _Known(digest, size))

    def page(self) -> "RejectPage":
        """Return what the next commit begins with."""
        page = RejectPage(self)
        for draft in self.waiting:
            page.count(draft)
        return page

    def new_ids(self) -> Iterator[int]:
        """Count on from the greatest ``id`` that was given."""
        return count(self._last_id + 1)

    def id_of(self, digest: bytes) -> int | None:
        """Return the row that is this reject."""
        return self._ids.get(digest)

    def digest_of(self, id_: int) -> bytes | None:
        """Return which reject this row is; None: it has gone."""
        known = self._known.get(id_)
        return known.digest if known else None

    def keep_waiting(self, entries: Iterable[Entry]) -> None:
        """Remember those among ``entries`` that are rejects, for when the disk takes writes again."""
        self.waiting.extend(Draft.of(entry) for entry in entries if entry.outcome is Outcome.REJECTED)

    def oldest_beyond(self, rows: int, size: int) -> list[int]:
        """Return which rows go so that there is room for ``rows`` more of ``size`` bytes."""
        free_rows = _to_free(len(self._known) + rows, MOST_ROWS)
        free_bytes = _to_free(self._bytes + size, self.most_bytes)
        going: list[int] = []
        for id_, known in self._known.items():
            if free_bytes <= 0 and len(going) >= free_rows:
                break
            free_bytes -= known.cost
            going.append(id_)
        return going

    def turn(self, page: "RejectPage") -> None:
        """Take over what was committed."""
        for id_ in (*page.gone, *page.evicted):
            self._forget(id_)
        for id_, draft in page.revised.items():
            if id_ in self._known:
                self._learn(id_, _Known(draft.digest, draft.cost))
        for id_, draft in page.rows.items():
            self._learn(id_, _Known(draft.digest, draft.cost))
        for id_, repeats in page.repeats.items():
            if id_ in self._known:
                self.repeats[id_] = self.repeats.get(id_, Repeats(0.0, 0)) + repeats
        self.waiting.clear()

    def insert_repeats(self, connection: sqlite3.Connection) -> None:
        """Write what was gathered, within the caller's transaction."""
        rows = [(id_, *repeats) for id_, repeats in self.repeats.items()]
        insert(connection, "repeats", "(?,?,?)", rows, _ADD_UP)

    def _learn(self, id_: int, known: _Known) -> None:
        self._unlearn(id_)
        self._known[id_] = known
        self._ids[known.digest] = id_
        self._bytes += known.cost
        self._last_id = max(self._last_id, id_)

    def _forget(self, id_: int) -> None:
        self._unlearn(id_)
        self._known.pop(id_, None)
        self.repeats.pop(id_, None)

    def _unlearn(self, id_: int) -> None:
        known = self._known.get(id_)
        if known is not None:
            self._bytes -= known.cost
            if self._ids.get(known.digest) == id_:
                del self._ids[known.digest]


def _to_free(wanted: int, most: int) -> int:
    return wanted - most + most // _SPARE if wanted > most else 0


_ADD_UP = "ON CONFLICT (id) DO UPDATE SET last_ts = max(last_ts, excluded.last_ts), count = count + excluded.count"


class RejectPage:
    """What one commit does to the rejects, prepared in memory."""

    def __init__(self, book: RejectBook) -> None:
        self.rows: dict[int, Draft] = {}
        self.repeats: dict[int, Repeats] = {}
        self.revised: dict[int, Draft] = {}
        """Taken in again, and refused for another reason."""
        self.gone: list[int] = []
        """Taken in again, and stored."""
        self.evicted: list[int] = []
        self._book = book
        self._ids = book.new_ids()
        self._new: dict[bytes, int] = {}

    def __bool__(self) -> bool:
        return bool(self.rows or self.revised or self.gone or self.repeats)

    def add(self, entry: Entry) -> None:
        """Take an entry in that may have to do with rejects."""
        if entry.outcome is Outcome.REJECTED and entry.replays is None:
            self.count(Draft.of(entry))
        elif entry.replays is not None:
            self._replayed(entry, entry.replays)

    def count(self, draft: Draft) -> None:
        """Add a row, or one more to the count of the row that is this reject."""
        id_ = self._book.id_of(draft.digest) or self._new.get(draft.digest)
        if id_ is None:
            id_ = self._new[draft.digest] = next(self._ids)
            self.rows[id_] = draft
        else:
            self.repeats[id_] = self.repeats.get(id_, Repeats(0.0, 0)) + Repeats(draft.first_ts, 1)

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write everything but repetitions, within the caller's transaction."""
        size = sum(draft.cost for draft in self.rows.values())
        self.evicted = self._book.oldest_beyond(len(self.rows), size) if self.rows else []
        _delete(connection, [*self.gone, *self.evicted])
        for id_, draft in self.revised.items():
            new = (draft.digest, draft.reason, draft.rule, id_)
            connection.execute("UPDATE rejects SET digest = ?, reason = ?, rule = ? WHERE id = ?", new)
        rows = [(id_, *draft) for id_, draft in self.rows.items()]
        insert(connection, "rejects", placeholders(1 + len(Draft._fields)), rows)

    def _replayed(self, entry: Entry, id_: int) -> None:
        known = self._book.digest_of(id_)
        if known is None:
            return
        if entry.outcome is Outcome.STORED:
            self.gone.append(id_)
        elif entry.outcome is Outcome.REJECTED and digest_of(entry) != known:
            self.revised[id_] = Draft.of(entry)


def _delete(connection: sqlite3.Connection, ids: list[int]) -> None:
    """Delete rows in one step, however many they are (see ``many``)."""
    if ids:
        text = f"[{','.join(map(str, ids))}]"
        for table in ("rejects", "repeats"):
            connection.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608  two fixed names
                (text,),
            )
