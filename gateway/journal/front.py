"""Taking readings from the front of a device."""

from collections.abc import Sequence

from gateway.journal import shelf
from gateway.journal.blocks import DamagedBlockError, Row, unpack
from gateway.journal.making import packed
from gateway.journal.rows import Rows
from gateway.journal.shelf import BlockHead
from gateway.journal.store import Store

_CUT_AT = 0.25
"""How much of a block's time must be over for it to be written again."""
_OVERDUE_AT = 0.1
"""Or by how much of the retention its oldest reading must be too old: its time is long where a clock was wrong."""


class Front:
    """Removes what is old, a transaction at a time; the writer's thread only."""

    def __init__(self, store: Store, retention_s: float) -> None:
        self._store = store
        self.limit(retention_s)

    def limit(self, retention_s: float) -> None:
        """Keep to another retention from now on."""
        self._overdue_ms = _OVERDUE_AT * retention_s * 1000

    def purge(self, name: str, before_ms: int, *, cuts: bool) -> bool:
        """Take from a device its first block, or the front of it, if that arrived before; never the newest reading.

        ``cuts``: a block may be cut that isn't over as a whole. Returns whether the next may go too.
        """
        head = self._store.heads[name]
        block = self._store.oldest_block(head)
        if block is None or block.least_arrived_ms >= before_ms:
            return False
        is_over = block.greatest_arrived_ms < before_ms
        if is_over and block.last < head.newest:
            with self._store.writing() as connection:
                shelf.remove(connection, block.id)
            self._store.front_goes(name, block.last + 1)
            return True
        if is_over or (cuts and self._is_to_cut(block, before_ms)):
            self._cut(name, block, before_ms)
        return False

    def _is_to_cut(self, block: BlockHead, before_ms: int) -> bool:
        over_ms = before_ms - block.least_arrived_ms
        whole_ms = max(1, block.greatest_arrived_ms - block.least_arrived_ms)
        return over_ms / whole_ms >= _CUT_AT or over_ms >= self._overdue_ms

    def _cut(self, name: str, block: BlockHead, before_ms: int) -> None:
        try:
            rows = unpack(self._store.block(block))
        except DamagedBlockError:
            if block.greatest_arrived_ms < before_ms:  # else it stays until all of it is over
                self._leave(name, block, [self._store.newest_of(block)])
            return
        start = next((index for index, row in enumerate(rows) if row.arrived_ms >= before_ms), len(rows))
        start = min(start, self._store.heads[name].newest - block.first)
        if start > 0:
            self._leave(name, block, rows[start:])

    def _leave(self, name: str, block: BlockHead, rows: Sequence[Row]) -> None:
        """Let these be all that is left of a block."""
        left = Rows.of(rows)
        with self._store.writing() as connection:
            shelf.write(connection, block.id, self._store.heads[name].id, packed(left), left)
        self._store.front_goes(name, left.first)
