"""Readings of one device on their way into a block: columns, without an object for each."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from gateway.journal.blocks import Row
from gateway.journal.texts import columns_of, times_of

MOST_NAMES = 504
"""Metrics that have a column each."""


class Rows(NamedTuple):
    """Readings with consecutive ``seq``."""

    first: int
    """The first ``seq``."""
    times: Sequence[float]
    """Unix seconds."""
    arrivals: list[int]
    """Unix milliseconds."""
    bodies: list[bytes]
    names: Sequence[str] = ()
    """Of the metrics, where the readings differ in nothing but their values, as most do."""
    values: Sequence[list[Any]] = ()
    """Of each metric; what makes a block has to prove that they give back the bodies."""

    @classmethod
    def of_bodies(cls, first: int, arrivals: list[int], bodies: list[bytes]) -> "Rows":
        """Return them with what their bodies say."""
        names = _names(bodies[0])
        found = columns_of(bodies, names) if 0 < len(names) <= MOST_NAMES else None
        if found is None or set(map(type, found[0])) != {float}:
            return cls(first, times_of(bodies), arrivals, bodies)
        return cls(first, found[0], arrivals, bodies, names, found[1:])

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Rows":
        """Return these as columns."""
        found = cls.of_bodies(rows[0].seq, [row.arrived_ms for row in rows], [row.body for row in rows])
        times = [row.ts for row in rows]
        return found if found.times == times else cls(found.first, times, found.arrivals, found.bodies)

    @property
    def last(self) -> int:
        """The last ``seq``."""
        return self.first + len(self.bodies) - 1


def _names(body: bytes) -> list[str]:
    try:
        return list(orjson.loads(body)["values"])
    except (ValueError, TypeError, KeyError):
        return []
