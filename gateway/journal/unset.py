"""Which readings arrived while the clock was not set: remembered in the file until it is.

Since a boot's clock is off by the same all the time until it is set, one number puts all of its
stamps right. It is kept here, so that a restart of the gateway in between doesn't matter.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from gateway.journal.many import insert

_SAME_S = 1.0
"""Differences of the clock that are no step: it drifts, and is read a moment after."""


class Stretch(NamedTuple):
    """Readings of one device from ``first`` on, as far as the next stretch."""

    first: int
    booted: float | None
    """Unix seconds at which this boot began, by the clock that stamped them. None: it was another boot."""

    def goes_on(self, booted: float | None) -> bool:
        """Tell whether a reading stamped by such a clock belongs to it."""
        if self.booted is None or booted is None:
            return self.booted is booted
        return abs(self.booted - booted) < _SAME_S


class UnsetStretches:
    """Those in the file, by the number of the device; the writer's thread only."""

    def __init__(self) -> None:
        self._stretches: dict[int, list[Stretch]] = {}
        self.boot = ""

    def __bool__(self) -> bool:
        return bool(self._stretches)

    def load(self, connection: sqlite3.Connection, boot: str) -> None:
        """Read what the file has; ``boot`` names the one that runs."""
        self.boot = boot
        for device, first, stamped_in, booted in connection.execute("SELECT * FROM unset ORDER BY device, first"):
            self._add(device, Stretch(first, booted if stamped_in == boot else None))

    def oldest(self) -> tuple[int, Stretch, int | None]:
        """Return a device, its first stretch, and where its next one begins."""
        device, stretches = next(iter(self._stretches.items()))
        return device, stretches[0], stretches[1].first if len(stretches) > 1 else None

    def newest(self, device: int) -> Stretch | None:
        """Return the last stretch of a device."""
        return self._stretches[device][-1] if device in self._stretches else None

    def finish(self, connection: sqlite3.Connection, device: int, last: int) -> None:
        """Delete what begins up to ``last``, within the caller's transaction; ``forget`` follows it."""
        connection.execute("DELETE FROM unset WHERE device = ? AND first <= ?", (device, last))

    def forget(self, device: int) -> None:
        """Drop the first stretch of a device, once that is committed."""
        stretches = self._stretches[device]
        del stretches[0]
        if not stretches:
            del self._stretches[device]

    def turn(self, page: "UnsetPage") -> None:
        """Take over what was committed."""
        for device, stretch in page:
            self._add(device, stretch)

    def _add(self, device: int, stretch: Stretch) -> None:
        newest = self.newest(device)
        if newest is None or not newest.goes_on(stretch.booted):
            self._stretches.setdefault(device, []).append(stretch)


class UnsetPage:
    """The stretches that begin with one commit."""

    def __init__(self, known: UnsetStretches) -> None:
        self._known = known
        self._new: defaultdict[int, list[Stretch]] = defaultdict(list)

    def __iter__(self) -> Iterator[tuple[int, Stretch]]:
        for device, stretches in self._new.items():
            for stretch in stretches:
                yield device, stretch

    def insert(self, connection: sqlite3.Connection) -> None:
        """Write them, within the caller's transaction."""
        rows = [(device, stretch.first, self._known.boot, stretch.booted) for device, stretch in self]
        insert(connection, "unset", "(?,?,?,?)", rows)

    def add(self, device: int, seq: int, booted: float | None) -> None:
        """Take in a reading that arrived while the clock was not set."""
        new = self._new[device]
        newest = new[-1] if new else self._known.newest(device)
        if newest is None or not newest.goes_on(booted):
            new.append(Stretch(seq, booted))
