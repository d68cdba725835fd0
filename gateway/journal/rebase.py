"""Once the clock is set, what it stamped before gets true times, in slices between commits.

A reading of this boot is put right: its arrival, and its ``ts`` where that was the arrival; the mark
goes. When one of another boot arrived can't be known. It keeps its ``ts`` and its mark, and counts
as old as this boot, so that it neither goes at once nor stays for ever.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import orjson

from gateway.journal import shelf
from gateway.journal.batch import Head
from gateway.journal.blocks import DamagedBlockError, Row, unpack
from gateway.journal.faults import words
from gateway.journal.logged import rewrite
from gateway.journal.making import packed
from gateway.journal.records import Committed, Rebased, Stored
from gateway.journal.rows import Rows
from gateway.journal.store import Store
from gateway.journal.unset import Stretch
from gateway.runtime import is_set, since_boot

SLICE = 256
"""Readings of the log that are written again in one transaction: a commit waits for it, some milliseconds, or 20 where
each lies in a row of its own, which is written again as a whole. Of a block it is always all."""
_RETRY_S = 60.0


class Rebase:
    """Puts stamps right; ``step`` runs in the writer's thread."""

    def __init__(
        self,
        path: Path,
        store: Store,
        post: Callable[[Committed], None],
        clock: Callable[[], float],
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self.problem = ""
        self._path = path
        self._store = store
        self._post = post
        self._clock = clock
        self._steady = steady
        self._next = 0
        self._retry_at = 0.0

    def step(self) -> bool:
        """Do at most one slice, if the clock is set; return whether there is more to do now."""
        if not self._store.unset or not is_set(self._clock()) or self._steady() < self._retry_at:
            return False
        try:
            self._slice()
        except Exception as error:  # noqa: BLE001  what can't be put right must not stop the writing
            self.problem = f"{words(self._path, error)}; times from before the clock was set stay wrong"
            self._retry_at = self._steady() + _RETRY_S
            return False
        self.problem = ""
        return bool(self._store.unset)

    def _slice(self) -> None:
        device, stretch, following = self._store.unset.oldest()
        name, head = next((name, head) for name, head in self._store.heads.items() if head.id == device)
        end = head.newest if following is None else following - 1
        first = max(stretch.first, head.oldest, self._next)
        move = _Move.of(stretch, self._clock() - self._steady())
        with self._store.writing() as connection:
            last, moved = _Moving(self._store, connection, name, move).rewrite(first, end)
            if last == end:
                self._store.unset.finish(connection, device, end)
        self._store.rewrites += bool(moved)
        if first == head.oldest:
            self._store.front_goes(name, first)  # for when it arrived
        self._next = last + 1
        if last == end:
            self._store.unset.forget(device)
            self._next = 0
        if moved and stretch.booted is not None:
            self._tell(name, head, moved, move.by_s)

    def _tell(self, name: str, head: Head, moved: list[Row], by_s: float) -> None:
        newest = moved[-1]
        stored = Stored(newest.seq, newest.ts, newest.body) if newest.seq == head.newest else None
        self._post(Committed([], rebased=Rebased(name, moved[0].seq, newest.seq, by_s, stored)))


class _Move(NamedTuple):
    """How stamps of one stretch are put right."""

    by_s: float
    """Seconds; only where ``to`` is None."""
    to: float | None
    """Unix seconds that the arrivals are counted from, as they can't be known."""

    @classmethod
    def of(cls, stretch: Stretch, booted: float) -> "_Move":
        """Return it for a clock by which this boot began at ``booted``."""
        return cls(0.0, booted) if stretch.booted is None else cls(booted - stretch.booted, None)

    def apply(self, row: Row) -> Row:
        """Return what ``row`` should be: itself, if its arrival is known."""
        if is_set(row.arrived_ms / 1000):
            return row
        if self.to is not None:
            return row._replace(arrived_ms=int(self.to * 1000))
        arrived_ms = row.arrived_ms + int(self.by_s * 1000)
        fields = orjson.loads(row.body)
        if fields.pop("clock", None) is None:
            return row._replace(arrived_ms=arrived_ms)
        fields["ts"] = round(row.ts + self.by_s, 6)
        return Row(row.seq, fields["ts"], arrived_ms, orjson.dumps(fields))


class _Moving(NamedTuple):
    """Puts readings of one device right, within a transaction."""

    store: Store
    connection: sqlite3.Connection
    name: str
    move: _Move

    def rewrite(self, first: int, end: int) -> tuple[int, list[Row]]:
        """Go on from ``first``, at most to ``end``; return how far that went, and the readings that changed."""
        head = self.store.heads[self.name]
        if first <= head.packed:
            return self._rewrite_block(head, first, end)
        tail = self.store.tails.of(self.name)
        first = max(first, tail.first if tail else end + 1)  # numbers may have leapt
        last = min(first + SLICE - 1, end)
        return last, rewrite(self.connection, tail.ids(first, last) if tail else [], self.move.apply)

    def _rewrite_block(self, head: Head, first: int, end: int) -> tuple[int, list[Row]]:
        block = self.store.block_from(head, first)
        if block is None or block.first > end:  # damage took them
            return min(end, head.packed), []
        last = min(block.last, end)
        try:
            rows = unpack(self.store.block(block))
        except DamagedBlockError:  # nothing of it can be put right
            return last, []
        new = [self.move.apply(row) if first <= row.seq <= last else row for row in rows]
        changed = [after for before, after in zip(rows, new, strict=True) if after is not before]
        if changed:
            shelf.write(self.connection, block.id, head.id, packed(columns := Rows.of(new)), columns)
        return last, changed
