"""Moves what lies in the log into blocks, by rounds, in slices between commits.

A round packs all that was in the log when it began, device by device, a transaction for each block; then it deletes
these rows of the log. What is in a block and still in the log counts as in the block, so a crash at any moment is
harmless.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gateway.journal import shelf
from gateway.journal.batch import Head
from gateway.journal.blocks import MOST_READINGS, Block, DamagedBlockError, Row, pack, unpack
from gateway.journal.faults import is_damage, words
from gateway.journal.opening import suspect
from gateway.journal.store import Store

MOST_ROWS = 32_768
"""In the log: past it, or past ``_MOST_BYTES``, or when its oldest has been there for ``_MOST_S``, a round begins."""
_MOST_BYTES = 8 * 2**20
_SHARE = 8
"""The log takes at most about an eighth of a small journal."""
_MOST_S = 3600.0
_FULL = MOST_READINGS // 2
"""A block of so many readings isn't extended."""
_BLOCK_BYTES = 256 * 1024
"""Of bodies in one block, which may be one body."""
_READ_AT_ONCE = 256
_DELETED_AT_ONCE = 2048
_SLICES_BEHIND = 6
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
        self._most_bytes = min(_MOST_BYTES, max_size // _SHARE)

    @property
    def failing(self) -> bool:
        """Whether nothing is packed for a while, because that went wrong."""
        return self._steady() < self._retry_at

    def hurry(self) -> None:
        """Let a round begin now."""
        self._wanted = True

    def step(self) -> bool:
        """Do at most one slice of what is due; return whether there is more to do now."""
        if self._round is None and (self.failing or not self._is_due()):
            return False
        try:
            self._slices()
        except Exception as error:  # noqa: BLE001  what can't be packed must not stop the writing
            self._failed(error)
        return self._round is not None

    def _slices(self) -> None:
        """Do one slice, or some where readings come faster than one with each commit packs them."""
        is_behind = self._store.next_row - self._store.first_row > 2 * MOST_ROWS
        for _ in range(_SLICES_BEHIND if is_behind else 1):
            self._slice()
            if self._round is None:
                break

    def _is_due(self) -> bool:
        rows = self._store.next_row - self._store.first_row
        if not rows:
            self._emptied_at = self._steady()
            self._wanted = False
            return False
        is_full = rows >= MOST_ROWS or self._store.log_bytes >= self._most_bytes
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
            self._round = self._all_that_is_there()
        if next(self._round, self) is self:
            self._round = None
            self._wanted = False
            self.problem = ""

    def _all_that_is_there(self) -> Iterator[None]:
        upto, size, began_at = self._store.next_row - 1, self._store.log_bytes, self._steady()
        for name in self._store.tails.devices(upto):
            yield from self._pack_device(name, upto)
        with self._store.writing() as connection:
            self._store.deliveries.insert(connection, self._store.next_row - 1)
        self._store.deliveries.written()
        yield from self._delete(upto)
        self._store.log_bytes -= size
        self._emptied_at = began_at

    def _pack_device(self, name: str, upto: int) -> Iterator[None]:
        head = self._store.heads[name]
        while (tail := self._store.tails.of(name)) is not None and tail.rows and tail.rows[0] <= upto:
            id_, before = self._unfull(head, tail.first)
            rows = [*before, *self._read(tail.rows[: MOST_READINGS - len(before)], before)]
            if len(rows) == len(before):  # the next one is too large to extend it
                id_, rows = next(self._store.block_ids), list(self._read(tail.rows[:MOST_READINGS], ()))
            rewrites = self._store.rewrites
            for block in pack(rows):
                if block is not None and self._store.rewrites == rewrites:  # else they are to be read again
                    self._write(name, id_, block, rows)
                yield

    def _unfull(self, head: Head, following: int) -> tuple[int, Sequence[Row]]:
        """Return the last block and its readings if it is to be extended, else the number of the next."""
        last = self._store.newest_block(head)
        if last is not None and last.length < _FULL and last.last + 1 == following:  # none is lost in between
            try:
                rows = unpack(self._store.block(last))
            except DamagedBlockError:
                rows = []
            if rows and sum(len(row.body) for row in rows) < _BLOCK_BYTES // 2:
                return last.id, rows
        return next(self._store.block_ids), ()

    def _read(self, ids: Sequence[int], before: Sequence[Row]) -> Iterator[Row]:
        """Read as many as fit into a block with ``before``: at least one if that is empty."""
        size, taken = sum(len(row.body) for row in before), len(before)
        for start in range(0, len(ids), _READ_AT_ONCE):
            for row in self._store.rows(ids[start : start + _READ_AT_ONCE]):
                size += len(row.body)
                if size > _BLOCK_BYTES and taken:
                    return
                taken += 1
                yield row

    def _write(self, name: str, id_: int, block: Block, rows: Sequence[Row]) -> None:
        head = self._store.heads[name]
        with self._store.writing() as connection:
            shelf.write(connection, id_, head.id, block, rows)
        was_first = block.first == head.oldest
        head.packed = block.last
        self._store.tails.drop(name, block.last)
        if was_first:
            head.oldest_arrived_ms = min(row.arrived_ms for row in rows)

    def _delete(self, upto: int) -> Iterator[None]:
        """Delete the rows up to ``upto``."""
        while self._store.first_row <= upto:
            end = min(self._store.first_row + _DELETED_AT_ONCE, upto + 1)
            with self._store.writing() as connection:
                connection.execute("DELETE FROM log WHERE id < ?", (end,))
            self._store.first_row = end
            yield
