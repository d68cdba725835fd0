"""The ledger over restarts: how many messages of each source came to which end.

``received`` is not written: it is the sum of the rest, so that the equation holds whatever a crash
forgets. That is at most about the last second, since a commit would otherwise dirty a page more.
"""

import sqlite3
from collections.abc import Mapping

from gateway.journal.many import insert, placeholders
from gateway.ledger import Totals
from gateway.model import Outcome

_COLUMNS = ", ".join(Outcome)
_REPLACE = f"ON CONFLICT (source) DO UPDATE SET {', '.join(f'{end} = excluded.{end}' for end in Outcome)}"


class LedgerBook:
    """What the file has, and what it is to have next."""

    def __init__(self) -> None:
        self.told: Mapping[str, Totals] = {}
        """The newest; replaced, never changed, by the hub."""
        self._written: dict[str, Totals] = {}

    def load(self, connection: sqlite3.Connection) -> dict[str, Totals]:
        """Read what was kept, also of sources that are configured no longer."""
        rows = connection.execute(f"SELECT source, {_COLUMNS} FROM ledger")  # noqa: S608  our own names
        self._written = {source: tuple(counts) for source, *counts in rows}
        return dict(self._written)

    def changes(self) -> dict[str, Totals]:
        """Return the sources whose totals are not written yet."""
        return {source: totals for source, totals in self.told.items() if self._written.get(source) != totals}

    def insert(self, connection: sqlite3.Connection, changes: Mapping[str, Totals]) -> None:
        """Write ``changes``, within the caller's transaction."""
        rows = [(source, *totals) for source, totals in changes.items()]
        insert(connection, "ledger", placeholders(1 + len(Outcome)), rows, _REPLACE)

    def written(self, changes: Mapping[str, Totals]) -> None:
        """Take over what was committed."""
        self._written.update(changes)
