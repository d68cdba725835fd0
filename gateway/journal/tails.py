"""Where in the log the readings lie that are in no block yet, by device."""

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.model import Reading


class Tail(NamedTuple):
    """Readings of one device, consecutive from ``first`` on."""

    first: int
    rows: "array[int]"
    """The number in the log of each (see ``logged``)."""

    @property
    def last(self) -> int:
        """The greatest ``seq``, less than ``first`` where there are none."""
        return self.first + len(self.rows) - 1

    def ids(self, low: int, high: int) -> "array[int]":
        """Return where the readings with ``low <= seq <= high`` are."""
        return self.rows[max(0, low - self.first) : max(0, high - self.first + 1)]


class Tails:
    """Kept by the writer; other threads take copies, each of which is of one moment.

    Rows are only ever appended to a tail; to take some off its front makes another tail.
    """

    def __init__(self) -> None:
        self._tails: dict[str, Tail] = {}

    def clear(self) -> None:
        """Forget all."""
        self._tails = {}

    def append(self, device: str, seq: int, row: int) -> None:
        """Add the reading that follows the last one."""
        tail = self._tails.get(device)
        if tail is None or not tail.rows:
            self._tails[device] = Tail(seq, array("q", (row,)))
        else:
            tail.rows.append(row)

    def extend(self, readings: Iterable[Reading], first: int) -> None:
        """Add readings that follow, in their devices, the last ones; they are numbered from ``first`` on in the log."""
        known = self._tails.get
        for number, reading in enumerate(readings, first):
            tail = known(reading.device)
            if tail is None or not tail.rows:
                self.append(reading.device, reading.seq or 0, number)
            else:
                tail.rows.append(number)

    def of(self, device: str) -> Tail | None:
        """Return a copy."""
        tail = self._tails.get(device)
        return Tail(tail.first, tail.rows[:]) if tail else None

    def devices(self, upto: int) -> Sequence[str]:
        """Return of which devices something begins up to a number in the log."""
        return [name for name, tail in self._tails.items() if tail.rows and tail.rows[0] <= upto]

    def ends(self) -> dict[str, tuple[int, int, int]]:
        """Return the first ``seq``, the last, and the number in the log of the first."""
        found = {name: (tail.first, tail.last, tail.rows) for name, tail in list(self._tails.items())}
        return {name: (first, last, rows[0]) for name, (first, last, rows) in found.items() if last >= first}

    def drop(self, device: str, last: int) -> None:
        """Take off what is in a block now, up to ``last``."""
        tail = self._tails[device]
        self._tails[device] = Tail(last + 1, tail.ids(last + 1, tail.last))
