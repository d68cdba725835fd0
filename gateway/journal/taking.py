"""What a round packs, in memory from its beginning: to look it up device by device takes several times as long."""

from collections.abc import Sequence
from itertools import repeat
from operator import sub

from gateway.journal.logged import Logged
from gateway.journal.store import Store

_MOST_READINGS = 32_768
_MOST_BYTES = 8 * 2**20
"""In one round, with the row that goes past it."""
_ROWS_AT_ONCE = 256
_READINGS_AT_ONCE = 2048
_BYTES_AT_ONCE = 2**20


class Taken:
    """Readings from the front of the log, by number."""

    def __init__(self, store: Store, upto: int) -> None:
        self.end = 0
        """The number after the last."""
        self.size = 0
        """Bytes of bodies."""
        self._store = store
        self._upto = upto
        self._rewrites = store.rewrites
        self._first = 0
        self._arrivals: list[int] = []
        self._bodies: list[bytes] = []

    @property
    def is_true(self) -> bool:
        """Whether no reading was changed in the file since."""
        return self._rewrites == self._store.rewrites

    def more(self) -> bool:
        """Take in a slice more; return whether there is another that goes into the same round."""
        readings, size = len(self._bodies) + _READINGS_AT_ONCE, self.size + _BYTES_AT_ONCE
        found = self._store.logged(self.end or self._store.first_row, self._upto)
        for row, logged in enumerate(found, start=1):
            if self.end not in (0, logged.first):  # numbers have leapt, with damage
                return False
            self._add(logged)
            if row == _ROWS_AT_ONCE or len(self._bodies) >= readings or self.size >= size:
                break
        else:
            self.end = self._upto + 1
        return self.end <= self._upto and len(self._bodies) < _MOST_READINGS and self.size < _MOST_BYTES

    def _add(self, logged: Logged) -> None:
        if not self.end:
            self._first = logged.first
        self.end = logged.end
        self._arrivals += logged.arrivals or [0]
        self._bodies += logged.bodies or [b""]
        self.size += sum(map(len, logged.bodies))

    def of(self, numbers: Sequence[int]) -> tuple[list[int], list[bytes]]:
        """Return arrivals, in Unix milliseconds, and bodies."""
        places = list(map(sub, numbers, repeat(self._first)))
        return list(map(self._arrivals.__getitem__, places)), list(map(self._bodies.__getitem__, places))
