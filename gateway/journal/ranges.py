"""Reading a range of one device: blocks, then what is in the log behind them."""

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from math import inf

from gateway.journal import shelf
from gateway.journal.blocks import DamagedBlockError, Row, Unpacked
from gateway.journal.logged import WHOLE, rows_at, take_apart
from gateway.journal.records import Stored
from gateway.journal.shelf import BlockHead
from gateway.journal.tails import Tail

LAST = 2**63 - 1
"""SQLite's greatest integer: no ``seq`` is past it."""
_AT_ONCE = 128
"""Readings that are made of columns, or read of the log, before anybody looks whether more are wanted."""

Damaged = Callable[[BlockHead, str], None]
"""Is told of a block that can't be read, and why."""


@dataclass(slots=True)
class Wanted:
    """Which readings of a device: in the range of ``seq`` and of ``ts``, both ends included."""

    limit: int
    most_bytes: int
    low: int = 1
    high: int = LAST
    start: float = -inf
    end: float = inf
    descending: bool = False

    def select(self, connection: sqlite3.Connection, device: int, tail: Tail | None, damaged: Damaged) -> list[Stored]:
        """Read them: never more than ``limit``, and none after the one whose body goes past ``most_bytes``.

        ``tail`` is from before ``connection`` began to read; None: the whole log is searched.
        """
        found: list[Stored] = []
        left = self.most_bytes
        with closing(self._all(connection, device, tail, damaged)) as readings:
            for stored in islice(readings, self.limit):
                found.append(stored)
                left -= len(stored.body)
                if left < 0:
                    break
        return found

    def _all(
        self, connection: sqlite3.Connection, device: int, tail: Tail | None, damaged: Damaged
    ) -> Generator[Stored, None, None]:
        """Read one at a time, whatever the bounds."""
        if self.descending:
            yield from self.of_log(connection, device, tail)
            yield from self._packed(connection, device, damaged)
        else:
            yield from self._packed(connection, device, damaged)
            yield from self.of_log(connection, device, tail)

    def _packed(self, connection: sqlite3.Connection, device: int, damaged: Damaged) -> Iterator[Stored]:
        heads = shelf.heads(
            connection,
            device,
            low=self.low,
            high=self.high,
            start=self.start,
            end=self.end,
            descending=self.descending,
        )
        for head in heads:
            try:
                yield from self._of_block(connection, head)
            except DamagedBlockError as error:
                damaged(head, str(error))

    def _of_block(self, connection: sqlite3.Connection, head: BlockHead) -> Iterator[Stored]:
        block = Unpacked(shelf.load(connection, head))
        start, end = max(0, self.low - head.first), min(head.length, self.high - head.first + 1)
        parts = [(at, min(at + _AT_ONCE, end)) for at in range(start, end, _AT_ONCE)]
        for part in reversed(parts) if self.descending else parts:
            rows = [Stored(row.seq, row.ts, row.body) for row in block.rows(*part) if self.start <= row.ts <= self.end]
            yield from reversed(rows) if self.descending else rows

    def of_log(self, connection: sqlite3.Connection, device: int, tail: Tail | None) -> Generator[Stored, None, None]:
        """Read those that are in no block, whatever the bounds."""
        packed = shelf.newest(connection, device)
        low = max(self.low, packed.last + 1 if packed else 1)
        for rows in self._parts_of_log(connection, device, tail, low):
            found = [
                Stored(row.seq, row.ts, row.body)
                for row in rows
                if low <= row.seq <= self.high and self.start <= row.ts <= self.end
            ]
            yield from reversed(found) if self.descending else found

    def _parts_of_log(
        self, connection: sqlite3.Connection, device: int, tail: Tail | None, low: int
    ) -> Iterator[list[Row]]:
        """Yield the readings from ``low`` on, and maybe others, some at a time; each part in order of ``seq``."""
        if tail is None:
            order = " DESC" if self.descending else ""
            for row in connection.execute(f"{WHOLE} ORDER BY id{order}"):
                yield take_apart(row).rows_of(device)
            return
        ids = tail.ids(low, self.high)
        parts = [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]
        for part in reversed(parts) if self.descending else parts:
            yield rows_at(connection, part)


def named(found: Sequence[tuple[str, BlockHead]]) -> str:
    """Return words for blocks that can't be read, by device."""
    return "; ".join(f"readings {head.first} to {head.last} of {device} can't be read" for device, head in found)
