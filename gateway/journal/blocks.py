"""Readings of one device as columns, and back, bit for bit.

Readings that no columns can give back as they were are kept as they are, compressed together.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import mul
from typing import Any, NamedTuple

import orjson

from gateway.journal.columns import Column, Extremes, decode
from gateway.journal.texts import NEWLINE, texts_of

MOST_READINGS = 1024
"""In one block."""
TS, ARRIVED, SHAPE, BODIES, LENGTHS, METRICS = 0, 1, 2, 3, 4, 8
"""Numbers of columns: of ``ts``; of arrivals, where they don't follow from ``ts``; of which shape each reading
has, where they differ; of readings kept as they are, and how long each is; from the last on, of metrics."""
_BEGIN, _BETWEEN = b'{"ts":', b'},{"ts":'
_NOTHING = Extremes("mixed", None, 0, None, 0, 0.0, 0)


Shapes = Sequence[tuple[list[str], dict[str, Any]]]
"""The names of metrics in their order, and the marks behind them, of each kind of reading."""


class Row(NamedTuple):
    """A reading as the journal has it."""

    seq: int
    ts: float
    """Unix seconds."""
    arrived_ms: int
    body: bytes


class DamagedBlockError(Exception):
    """A block can't be read."""


class Named(NamedTuple):
    """A column with what lies beside it in the file."""

    name: str
    """Of a metric; else empty."""
    column: Column
    extremes: Extremes = _NOTHING


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of one device with consecutive ``seq``."""

    first: int
    last: int
    shapes: Shapes
    """Empty: the readings are kept as they are."""
    columns: Mapping[int, Named]

    @property
    def count(self) -> int:
        """How many readings."""
        return self.last - self.first + 1


def unpack(block: Block) -> list[Row]:
    """Return the readings of a block; raise ``DamagedBlockError`` where it is damaged."""
    return list(Unpacked(block).rows(0, block.count))


class Unpacked:
    """A block whose columns are decoded, and whose readings are made as they are asked for.

    Raises
    ------
    DamagedBlockError
        From all of its functions.
    """

    def __init__(self, block: Block) -> None:
        self._block = block
        self._columns: dict[int, list[Any]] = {}
        self.ts: list[float] = self.column(TS)

    def column(self, number: int) -> list[Any]:
        """Return the values of a column."""
        if number not in self._columns:
            self._columns[number] = _decoded(self._block, number)
        return self._columns[number]

    def rows(self, start: int, end: int) -> Iterator[Row]:
        """Return the readings from one index to before another."""
        first = self._block.first
        times = self.ts[start:end], self.arrivals()[start:end], self.bodies(start, end)
        return map(Row, range(first + start, first + end), *times)

    def arrivals(self) -> list[int]:
        """Return when each arrived, in Unix milliseconds."""
        return self.column(ARRIVED) if ARRIVED in self._block.columns else arrivals_of(self.ts)

    def bodies(self, start: int, end: int) -> Sequence[bytes]:
        """Return the bodies from one index to before another."""
        shapes = self._block.shapes
        if not shapes:
            return _cut(self._block, self.column(LENGTHS))[start:end]
        numbers = {named.name: number for number, named in self._block.columns.items() if number >= METRICS}
        try:
            columns = [[self.column(numbers[name])[start:end] for name in names] for names, _ in shapes]
        except KeyError as error:
            raise DamagedBlockError(f"column {error} is missing") from error
        if len(shapes) == 1:
            return _alike(self.ts[start:end], columns[0], *shapes[0])
        kinds = self.column(SHAPE)[start:end]
        return _unlike(self.ts[start:end], columns, shapes, kinds)


def _decoded(block: Block, number: int) -> list[Any]:
    try:
        values = decode(block.columns[number].column)
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise DamagedBlockError(str(error)) from error
    if len(values) != block.count:
        raise DamagedBlockError(f"{len(values)} values, {block.count} expected")
    return values


def _alike(times: list[float], columns: list[list[Any]], names: list[str], marks: dict[str, Any]) -> list[bytes]:
    if names and not marks and (text := texts_of([times, *columns], names)) is not None:
        return text.split(NEWLINE)
    if marks:
        return _dumped(
            [
                {"ts": ts, "values": dict(zip(names, values, strict=True)), **marks}
                for ts, *values in zip(times, *columns, strict=True)
            ]
        )
    rows = zip(*columns, strict=True) if columns else repeat(())
    return _dumped(
        [{"ts": ts, "values": dict(zip(names, values, strict=True))} for ts, values in zip(times, rows, strict=False)]
    )


def _unlike(times: list[float], columns: list[list[list[Any]]], shapes: Shapes, kinds: list[int]) -> list[bytes]:
    readings = []
    for index, (ts, kind) in enumerate(zip(times, kinds, strict=True)):
        names, marks = shapes[kind]
        values = {name: column[index] for name, column in zip(names, columns[kind], strict=True)}
        readings.append({"ts": ts, "values": values, **marks})
    return _dumped(readings)


def _dumped(readings: list[dict[str, Any]]) -> list[bytes]:
    """Encode many at once, a tenth of the work, and cut between them: no text has a quote without a backslash."""
    parts = orjson.dumps(readings)[len(_BEGIN) + 1 : -2].split(_BETWEEN)
    if len(parts) != len(readings):  # objects in objects, which intake lets none through
        return [orjson.dumps(reading) for reading in readings]
    return [_BEGIN + part + b"}" for part in parts]


def _cut(block: Block, lengths: list[int]) -> list[bytes]:
    column = block.columns[BODIES].column
    try:
        text = column.data if len(column.data) == column.size else zlib.decompress(column.data)
    except zlib.error as error:
        raise DamagedBlockError(str(error)) from error
    bodies, at = [], 1
    for length in lengths:
        bodies.append(text[at : at + length])
        at += length + 1
    return bodies


def arrivals_of(times: Sequence[float]) -> list[int]:
    """Return when readings arrived whose ``ts`` is the arrival."""
    return list(map(int, map(mul, times, repeat(1000))))
