"""How much a journal holds, asked in as few statements as there can be.

Each step of one gives the interpreter's lock away, and beside a busy hub waits for it: with some for each of ten
thousand devices an answer took seconds, and viewers waited for it who catch up.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from gateway.journal.logged import rows_at

Ends = tuple[int, int]
"""The first and the last ``seq`` of some readings."""

_PACKED = """
SELECT json_group_array(json_array(d.name, f.first, l.last)), min(f.least_ts) FROM devices d
JOIN blocks f ON f.id = (SELECT id FROM blocks WHERE device = d.id ORDER BY first LIMIT 1)
JOIN blocks l ON l.id = (SELECT id FROM blocks WHERE device = d.id ORDER BY first DESC LIMIT 1)
"""


class Count(NamedTuple):
    """How many readings there are, and about when they begin."""

    readings: int
    oldest_ts: float | None
    """Unix seconds: the least of the devices' first blocks, and of first readings of those that have no block."""


def count(
    connection: sqlite3.Connection, tails: Mapping[str, tuple[int, int, int]], holes: Mapping[str, Sequence[Ends]]
) -> Count:
    """Count what is in blocks, and behind them in the log.

    ``tails``: of each device's readings in the log the first ``seq``, the last, and the row of the first, from before
    ``connection`` began to read. ``holes``: what damage took from between a device's blocks.
    """
    text, packed_ts = connection.execute(_PACKED).fetchone()
    packed: dict[str, Ends] = {name: (first, last) for name, first, last in orjson.loads(text)}
    rows = [row for name, (_, _, row) in tails.items() if name not in packed]
    logged_ts = min((row.ts for row in rows_at(connection, rows)), default=None)
    readings = sum(_in_blocks(ends, holes.get(name, ())) for name, ends in packed.items())
    readings += sum(_behind(tail, packed.get(name)) for name, tail in tails.items())
    return Count(readings, min((ts for ts in (packed_ts, logged_ts) if ts is not None), default=None))


def _in_blocks(ends: Ends, holes: Sequence[Ends]) -> int:
    return ends[1] - ends[0] + 1 - sum(last - first + 1 for first, last in holes if first > ends[0])


def _behind(tail: tuple[int, int, int], packed: Ends | None) -> int:
    first, last, _ = tail
    return max(0, last - max(first, packed[1] + 1 if packed else 0) + 1)
