"""A journal whose disk is full."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.journals import Opening

LARGE = "x" * 200_000
"""A text that needs pages of its own, which a full file doesn't have."""


@contextmanager
def full(it: Opening) -> Iterator[None]:
    """Let SQLite find no free page, as on a full disk."""
    connection = it.journal._store._connection
    connection.execute("PRAGMA max_page_count = 1")  # SQLite raises it to what the file has
    yield
    if not it.journal._stopped:  # else the writer closes it, maybe this very moment
        connection.execute("PRAGMA max_page_count = 1073741823")
