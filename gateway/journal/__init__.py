"""Keeps readings, and gives each its ``seq``: SQLite behind one native writer thread with group commit.

Nothing outside this package knows its tables.
"""

from gateway.journal.condensing import Condensed
from gateway.journal.copying import Contents, copy, examine
from gateway.journal.green import GreenQueries
from gateway.journal.particulars import particulars
from gateway.journal.queries import Queries
from gateway.journal.records import (
    Absence,
    Committed,
    JournalStats,
    KeptReject,
    KnownDevice,
    Opened,
    Rebased,
    Stored,
)
from gateway.journal.resuming import go_on_past, last_numbers
from gateway.journal.writer import Journal

__all__ = [
    "Absence",
    "Committed",
    "Condensed",
    "Contents",
    "GreenQueries",
    "Journal",
    "JournalStats",
    "KeptReject",
    "KnownDevice",
    "Opened",
    "Queries",
    "Rebased",
    "Stored",
    "copy",
    "examine",
    "go_on_past",
    "last_numbers",
    "particulars",
]
