"""Moves what lies in the log into blocks, by rounds, in slices between commits.

A round packs all that was in the log when it began, device by device, a transaction for each block; then it deletes
these rows of the log. What is in a block and still in the log counts as in the block, so a crash at any moment is
harmless.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from gateway.journal import shelf
from gateway.journal.batch import Head
from gateway.journal.blocks import MOST_READINGS, Block, DamagedBlockError, Row, unpack
from gateway.journal.faults import is_damage, words
from gateway.journal.making import pack
from gateway.journal.opening import suspect
from gateway.journal.rows import Rows
from gateway.journal.shelf import BlockHead
from gateway.journal.store import Store
from gateway.journal.tails import Tail
from gateway.journal.taking import Taken

MOST_ROWS = 32_768
"""Readings in the log: past it, past ``_MOST_BYTES``, or when its oldest was there for ``_MOST_S``, a round begins."""
_MOST_BYTES = 8 * 2**20
_SHARE = 8
"""The log takes at most about an eighth of a small journal."""
_MOST_S = 3600.0
_FULL = MOST_READINGS // 2
"""A block of so many readings isn't extended."""
_GROWTH = 2
"""Nor one that is larger by more than this factor than what would be put behind it."""
_BLOCK_BYTES = 256 * 1024
"""Of bodies in one block, which may be one body."""
_DELETED_AT_ONCE = 2048
_MUCH = 2
"""Times as much as a round begins with."""
_SLICES_BEHIND, _MOST_SLICES = 3, 48
"""With each commit, for each time as much; and at most, some 50 ms that a commit waits for."""
_RETRY_S = 60.0


class Packing:
    """Packs; ``step`` runs in the writer's thread.

    Parameters
    ----------
    max_size
        Of the journal, in bytes.
    steady
        Seconds that run on whatever the clock is set to.
    """

    def __init__(self, path: Path, store: Store, max_size: int, steady: Callable[[], float]) -> None:
        self.problem = ""
        self._path = path
        self._store = store
        self._steady = steady
        self._round: Iterator[None] | None = None
        self._wanted = False
        self._emptied_at = steady()
        self._retry_at = float("-inf")
        self.limit(max_size)

    def limit(self, max_size: int) -> None:
        """Keep to another size of the journal from now on."""
        self._most_bytes = min(_MOST_BYTES, max(1, max_size // _SHARE))

    @property
    def failing(self) -> bool:
        """Whether nothing is packed for a while, because that went wrong."""
        return self._steady() < self._retry_at

    @property
    def is_under_way(self) -> bool:
        """Whether a round has begun and is not over: until then nothing may be removed."""
        return self._round is not None

    def hurry(self) -> None:
        """Let a round begin now, or when the one that is under way is over; any thread may say so."""
        self._wanted = True

    def step(self) -> bool:
        """Do at most one slice of what is due; return whether there is more to do now."""
        if self._round is None and (self.failing or not self._is_due()):
            return False
        try:
            self._slices()
        except Exception as error:  # noqa: BLE001  what can't be packed must not stop the writing
            self._failed(error)
        return self._round is not None or (self._wanted and not self.failing)

    def _slices(self) -> None:
        """Do one slice, or more the further readings come ahead of what one with each commit packs."""
        behind = max(self._rows / MOST_ROWS, self._store.log_bytes / self._most_bytes)
        for _ in range(min(int(_SLICES_BEHIND * behind), _MOST_SLICES) if behind > _MUCH else 1):
            self._slice()
            if self._round is None:
                break

    @property
    def _rows(self) -> int:
        return self._store.next_row - self._store.first_row

    def _is_due(self) -> bool:
        if not self._rows:
            self._emptied_at = self._steady()
            self._wanted = False
            return False
        is_full = self._rows >= MOST_ROWS or self._store.log_bytes >= self._most_bytes
        return self._wanted or is_full or self._steady() - self._emptied_at >= _MOST_S

    def _failed(self, error: Exception) -> None:
        self._round = None
        self._wanted = True
        self._retry_at = self._steady() + _RETRY_S
        self.problem = f"{words(self._path, error)}; readings aren't packed, and take more room"
        if is_damage(error):
            suspect(self._path)

    def _slice(self) -> None:
        if self._round is None:
            self._wanted = False  # now, not at the end: what is wanted meanwhile is more than what is there now
            self._round = self._all_that_is_there()
        if next(self._round, self) is self:
            self._round = None
            self.problem = ""

    def _all_that_is_there(self) -> Iterator[None]:
        """Pack what is in the log now, or its front where it is far too long; else it took too much memory."""
        upto, size, began_at = self._store.next_row - 1, self._store.log_bytes, self._steady()
        taken = Taken(self._store, upto)
        while taken.more():
            yield
        for name in self._store.tails.devices(taken.end - 1):
            yield from self._pack_device(name, taken)
            if not taken.is_true:
                self.hurry()  # for what is true now
                return
        with self._store.writing() as connection:
            self._store.deliveries.insert(connection, self._store.next_row - 1)
        self._store.deliveries.written()
        yield from self._delete(taken.end - 1)
        if taken.end > upto:
            self._store.log_bytes -= size  # and not ``taken.size``, which is less where readings were changed before
            self._emptied_at = began_at
        else:
            self._store.log_bytes -= taken.size
            self.hurry()

    def _pack_device(self, name: str, taken: Taken) -> Iterator[None]:
        while (tail := self._tail(name, taken.end)).rows and taken.is_true:
            old, rows = self._next_block(name, tail, taken)
            for block in pack(rows):
                if block is not None and taken.is_true:
                    self._write(name, old, block, rows)
                yield

    def _tail(self, name: str, end: int) -> Tail:
        """Return the readings of a device that are in no block, up to a number in the log."""
        tail = self._store.tails.of(name) or Tail(0, array("q"))
        return Tail(tail.first, tail.rows[: bisect_left(tail.rows, end)])

    def _next_block(self, name: str, tail: Tail, taken: Taken) -> tuple[Sequence[int], Rows]:
        """Return which blocks go, and the readings of the one that takes their place: at least one more than theirs."""
        old, before = self._to_extend(self._store.heads[name], tail)
        arrivals, bodies = taken.of(tail.rows[: MOST_READINGS - len(before)])
        fit = _fitting(bodies, _BLOCK_BYTES - sum(len(row.body) for row in before))
        if before and not fit:  # the next one is too large to extend it
            old, before = (), ()
            arrivals, bodies = taken.of(tail.rows[:MOST_READINGS])
            fit = _fitting(bodies, _BLOCK_BYTES)
        arrivals[:0] = [row.arrived_ms for row in before]
        bodies[:0] = [row.body for row in before]
        end = len(before) + max(1, fit)
        return old, Rows.of_bodies(tail.first - len(before), arrivals[:end], bodies[:end])

    def _to_extend(self, head: Head, tail: Tail) -> tuple[Sequence[int], Sequence[Row]]:
        """Return which of the last blocks one is to be made of together with ``tail``, and their readings.

        Only as long as each is at most twice as large as what is put behind it: so a reading is packed anew some ten
        times at most, however few come at a time of each of thousands of devices.
        """
        ids: list[int] = []
        rows: list[Row] = []
        for block in self._store.blocks_back(head):
            following = rows[0].seq if rows else tail.first
            is_small = block.length < min(_FULL, _GROWTH * (len(rows) + len(tail.rows)) + 1)
            # none is lost in between, and one reading more has room
            if not is_small or block.last + 1 != following or block.length + len(rows) >= MOST_READINGS:
                break
            before = self._rows_of(block)
            if not before or sum(len(row.body) for row in (*before, *rows)) >= _BLOCK_BYTES // 2:
                break
            ids.append(block.id)
            rows[:0] = before
        return ids, rows

    def _rows_of(self, block: BlockHead) -> Sequence[Row]:
        try:
            return unpack(self._store.block(block))
        except DamagedBlockError:
            return ()

    def _write(self, name: str, old: Sequence[int], block: Block, rows: Rows) -> None:
        """Write a block, in the place of the ``old`` ones."""
        head = self._store.heads[name]
        with self._store.writing() as connection:
            for id_ in old[1:]:
                shelf.remove(connection, id_)
            shelf.write(connection, old[0] if old else next(self._store.block_ids), head.id, block, rows)
        was_first = block.first == head.oldest
        head.packed = block.last
        self._store.tails.drop(name, block.last)
        if was_first:
            head.oldest_arrived_ms = min(rows.arrivals)

    def _delete(self, upto: int) -> Iterator[None]:
        """Delete the rows up to ``upto``."""
        while self._store.first_row <= upto:
            end = min(self._store.first_row + _DELETED_AT_ONCE, upto + 1)
            with self._store.writing() as connection:
                connection.execute("DELETE FROM log WHERE id < ?", (end,))
            self._store.first_row = end
            yield


def _fitting(bodies: Sequence[bytes], most_bytes: int) -> int:
    """Return how many of the first ones take no more."""
    sizes = list(map(len, bodies))
    return len(bodies) if sum(sizes) <= most_bytes else bisect_right(list(accumulate(sizes)), most_bytes)
