"""Keeps readings, and gives each its ``seq``: SQLite behind one native writer thread with group commit.

Nothing outside this package knows its tables.
"""

from gateway.journal.condensing import Condensed
from gateway.journal.green import GreenQueries
from gateway.journal.queries import Queries
from gateway.journal.records import Committed, JournalStats, KeptReject, KnownDevice, Opened, Rebased, Stored
from gateway.journal.writer import Journal

__all__ = [
    "Committed",
    "Condensed",
    "GreenQueries",
    "Journal",
    "JournalStats",
    "KeptReject",
    "KnownDevice",
    "Opened",
    "Queries",
    "Rebased",
    "Stored",
]
