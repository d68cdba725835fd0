"""A long range of one metric as few readings, with its extremes: mostly from what is known of blocks as a whole."""

import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import inf
from operator import le
from typing import NamedTuple

import orjson

from gateway.journal import shelf
from gateway.journal.blocks import METRICS, DamagedBlockError, Unpacked
from gateway.journal.ranges import Damaged, Wanted
from gateway.journal.records import Stored
from gateway.journal.shelf import BlockHead
from gateway.journal.tails import Tail
from gateway.model import Value, encode_body

_BLOCKS = """
SELECT b.id, b.first, b.last, b.least_ts, b.greatest_ts, b.least_arrived_ms, b.greatest_arrived_ms,
       c.kind, c.least_seq, c.least_ts, c.least, c.greatest_seq, c.greatest_ts, c.greatest
FROM blocks b LEFT JOIN columns c ON c.id BETWEEN 512 * b.id + 8 AND 512 * b.id + 511 AND c.name = :metric
WHERE b.device = :device AND b.least_ts <= :end AND b.greatest_ts >= :start AND (c.least IS NOT NULL OR b.shapes = '[]')
ORDER BY b.first
"""
_HEAD_COLUMNS = 7


class _Point(NamedTuple):
    seq: int
    ts: float
    value: Value


def _is_exact(kind: str, ends: Sequence[float]) -> bool:
    """Tell whether the extremes of a column are the values themselves: an int past 64 bits is a float in the file."""
    return kind == "float" or (kind == "int" and all(isinstance(end, int) for end in ends))


def _point(kind: str, seq: int, ts: float, value: float) -> _Point:
    """Return an extreme as it was stored: SQLite makes 5 of 5.0."""
    return _Point(seq, ts, float(value) if kind == "float" else value)


class _Block(NamedTuple):
    head: BlockHead
    ends: Sequence[_Point]
    """Its least and greatest; empty: they aren't known exactly."""


class _Series(NamedTuple):
    """Values of readings, in order of ``seq``."""

    seqs: Sequence[int]
    times: Sequence[float]
    values: Sequence[Value]

    def at(self, index: int) -> _Point:
        """Return one of them."""
        return _Point(self.seqs[index], self.times[index], self.values[index])


@dataclass(frozen=True, slots=True)
class Chart:
    """What is wanted: the readings of a metric with ``start <= ts <= end``, as about ``most``.

    Texts are left out.
    """

    metric: str
    most: int
    start: float = -inf
    end: float = inf

    def select(self, connection: sqlite3.Connection, device: int, tail: Tail | None, damaged: Damaged) -> list[Stored]:
        """Return the first and the last, and the least and the greatest of equal stretches of time.

        Their bodies have this metric only. ``tail``: see ``Wanted.select``.
        """
        blocks = list(self._blocks(connection, device))
        behind = self._behind(connection, device, tail)
        kept = self._kept(blocks, behind)
        for number, block in enumerate(blocks):
            if 0 < number < len(blocks) - 1 and self._is_inside(block) and kept.takes(block):
                kept.add_ends(block.ends)
                continue
            try:
                kept.add(self._series(connection, block.head))
            except DamagedBlockError as error:
                damaged(block.head, str(error))
        kept.add(behind)
        return [Stored(seq, ts, encode_body(ts, {self.metric: value})) for seq, ts, value in kept.points()]

    def _blocks(self, connection: sqlite3.Connection, device: int) -> Iterator[_Block]:
        wanted = {"metric": self.metric, "device": device, "start": self.start, "end": self.end}
        for row in connection.execute(_BLOCKS, wanted):
            kind, *ends = row[_HEAD_COLUMNS:]
            points = (_point(kind, *ends[:3]), _point(kind, *ends[3:])) if _is_exact(kind, ends[2::3]) else ()
            yield _Block(BlockHead(*row[:_HEAD_COLUMNS]), points)

    def _behind(self, connection: sqlite3.Connection, device: int, tail: Tail | None) -> _Series:
        wanted = Wanted(limit=0, most_bytes=0, start=self.start, end=self.end)
        with closing(wanted.of_log(connection, device, tail)) as found:
            return self._of_bodies(list(found))

    def _of_bodies(self, found: Sequence[Stored]) -> _Series:
        bodies = orjson.loads(b"[%b]" % b",".join([stored.body for stored in found]))
        values = [body["values"].get(self.metric) for body in bodies]
        return self._filtered([stored.seq for stored in found], [stored.ts for stored in found], values)

    def _series(self, connection: sqlite3.Connection, head: BlockHead) -> _Series:
        block = shelf.load(connection, head, metric=self.metric)
        unpacked = Unpacked(block)
        if not block.shapes:
            return self._of_bodies([Stored(row.seq, row.ts, row.body) for row in unpacked.rows(0, block.count)])
        number = next(number for number, named in block.columns.items() if number >= METRICS)
        return self._filtered(range(head.first, head.last + 1), unpacked.ts, unpacked.column(number))

    def _filtered(self, seqs: Sequence[int], times: Sequence[float], values: Sequence[Value | None]) -> _Series:
        is_whole = bool(times) and set(map(type, values)) <= {int, float, bool}
        if is_whole and self.start <= min(times) and max(times) <= self.end:
            return _Series(seqs, times, values)  # type: ignore[arg-type]  # no None among them
        found = [
            (seq, ts, value)
            for seq, ts, value in zip(seqs, times, values, strict=True)
            if isinstance(value, (int, float)) and self.start <= ts <= self.end
        ]
        return _Series(*zip(*found, strict=True)) if found else _Series((), (), ())

    def _is_inside(self, block: _Block) -> bool:
        return self.start <= block.head.least_ts and block.head.greatest_ts <= self.end

    def _kept(self, blocks: Sequence[_Block], behind: _Series) -> "_Kept":
        times = [ts for block in blocks for ts in (block.head.least_ts, block.head.greatest_ts)]
        times += behind.times
        if not times or sum(block.head.length for block in blocks) + len(behind.seqs) <= self.most:
            return _Kept(0.0, 0.0, 0)
        begin, end = max(self.start, min(times)), min(self.end, max(times))
        stretches = max(1, (self.most - 2) // 2)
        return _Kept(begin, (end - begin) / stretches, stretches)


class _Kept:
    """The least and the greatest of each stretch of time; of none: everything."""

    def __init__(self, begin: float, width: float, stretches: int) -> None:
        self._stretches = stretches
        self._begin = begin
        self._width = width
        self._least: dict[int, _Point] = {}
        self._greatest: dict[int, _Point] = {}
        self._others: list[_Point] = []

    def takes(self, block: _Block) -> bool:
        """Tell whether of a block its extremes are enough: it is no longer than a stretch."""
        return bool(block.ends and self._stretches) and block.head.greatest_ts - block.head.least_ts <= self._width

    def add_ends(self, ends: Sequence[_Point]) -> None:
        """Take in the extremes of a block, which counts as a whole to where its least is."""
        stretch = self._stretch(ends[0].ts)
        self._add(stretch, *ends)

    def add(self, series: _Series) -> None:
        """Take in readings."""
        if not series.seqs:
            return
        if not self._stretches:
            self._others += map(_Point, *series)
            return
        self._others += (series.at(0), series.at(-1))
        if all(map(le, series.times, series.times[1:])):
            self._add_sorted(series)
        else:
            for point in map(_Point, *series):
                self._add(self._stretch(point.ts), point, point)

    def _add_sorted(self, series: _Series) -> None:
        start = 0
        while start < len(series.seqs):
            stretch = self._stretch(series.times[start])
            end = bisect_right(series.times, self._begin + (stretch + 1) * self._width, start)
            end = len(series.seqs) if stretch == self._stretches - 1 else max(start + 1, end)
            values = series.values[start:end]
            least, greatest = (start + values.index(end_(values)) for end_ in (min, max))
            self._add(stretch, series.at(least), series.at(greatest))
            start = end

    def _add(self, stretch: int, least: _Point, greatest: _Point) -> None:
        if stretch not in self._least or least.value < self._least[stretch].value:  # type: ignore[operator]  # numbers
            self._least[stretch] = least
        if stretch not in self._greatest or greatest.value > self._greatest[stretch].value:  # type: ignore[operator]
            self._greatest[stretch] = greatest

    def _stretch(self, ts: float) -> int:
        last = self._stretches - 1
        return min(int((ts - self._begin) / self._width), last) if self._width else last

    def points(self) -> list[_Point]:
        """Return what is kept, in order of ``seq``."""
        ends = sorted({point.seq: point for point in self._others}.values())
        if self._stretches:
            ends = ends[:1] + ends[-1:]
        found = [*self._least.values(), *self._greatest.values(), *ends]
        return sorted({point.seq: point for point in found}.values())
