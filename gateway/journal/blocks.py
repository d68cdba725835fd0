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

from gateway.journal.columns import Column, Extremes, decode, encode, extremes
from gateway.journal.texts import NEWLINE, columns_of, texts_of

MOST_READINGS = 1024
"""In one block."""
TS, ARRIVED, SHAPE, BODIES, LENGTHS, METRICS = 0, 1, 2, 3, 4, 8
"""Numbers of columns: of ``ts``; of arrivals, where they don't follow from ``ts``; of which shape each reading
has, where they differ; of readings kept as they are, and how long each is; from the last on, of metrics."""
_MOST_COLUMNS = 512
_MOST_SHAPES = 256
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


def pack(rows: Sequence[Row]) -> Iterator[Block | None]:
    """Make a block of at most ``MOST_READINGS``: yield None between parts of the work, at last the block.

    What comes out of it is compared with ``rows`` before it is yielded.
    """
    for make in (_as_columns_of_text, _as_columns, _as_they_are):
        block = make(rows)
        yield None
        if block is not None and _gives_back(block, rows):
            yield block
            return
    raise DamagedBlockError(f"readings {rows[0].seq} to {rows[-1].seq} don't come out as they went in")


def packed(rows: Sequence[Row]) -> Block:
    """Make a block in one go."""
    (block,) = [block for block in pack(rows) if block]
    return block


def _gives_back(block: Block, rows: Sequence[Row]) -> bool:
    try:
        found = Unpacked(block)
        same = found.bodies(0, block.count) == [row.body for row in rows]
    except DamagedBlockError:
        return False
    return same and found.ts == [row.ts for row in rows] and found.arrivals() == [row.arrived_ms for row in rows]


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
        return self.column(ARRIVED) if ARRIVED in self._block.columns else _arrivals_of(self.ts)

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


def _as_columns_of_text(rows: Sequence[Row]) -> Block | None:
    """Return None where the readings differ in more than their values, as few do; takes a quarter of the time."""
    try:
        names = list(orjson.loads(rows[0].body)["values"])
    except (ValueError, TypeError, KeyError):
        return None
    found = columns_of([row.body for row in rows], names) if 0 < len(names) <= _MOST_COLUMNS - METRICS else None
    if found is None:
        return None
    columns = _time_columns(rows)
    for number, (name, values) in enumerate(zip(names, found[1:], strict=True), start=METRICS):
        columns[number] = Named(name, encode(values), extremes(values))
    return Block(rows[0].seq, rows[-1].seq, [(names, {})], columns)


def _as_columns(rows: Sequence[Row]) -> Block | None:
    """Return None where the bodies are no readings as ``model.encode_body`` makes them."""
    try:
        bodies = orjson.loads(b"[%b]" % b",".join([row.body for row in rows]))
        values = [body["values"] for body in bodies]
        shapes, kinds = _shapes(bodies, values) if set(map(type, values)) == {dict} else ([], [])
    except (ValueError, TypeError, KeyError):
        return None
    names = list(dict.fromkeys(name for _, (names, _) in shapes for name in names))
    if len(values) != len(rows) or not 0 < len(shapes) <= _MOST_SHAPES or len(names) > _MOST_COLUMNS - METRICS:
        return None
    columns = _time_columns(rows)
    if len(shapes) > 1:
        columns[SHAPE] = Named("", encode(kinds))
    for number, name in enumerate(names, start=METRICS):
        column = [one.get(name) for one in values]
        columns[number] = Named(name, encode(column), extremes(column))
    return Block(rows[0].seq, rows[-1].seq, [shape for _, shape in shapes], columns)


def _shapes(
    bodies: list[dict[str, Any]], values: list[dict[str, Any]]
) -> tuple[list[tuple[object, tuple[list[str], dict[str, Any]]]], list[int]]:
    """Return which shapes there are, and which of them each reading has."""
    if set(map(len, bodies)) == {2} and len(set(map(tuple, values))) == 1:  # as nearly all are
        return [(None, (list(values[0]), {}))], []
    found: dict[object, tuple[list[str], dict[str, Any]]] = {}
    kinds = []
    for body, ones in zip(bodies, values, strict=True):
        key: object = tuple(ones)
        if len(body) > 2:
            marks = {name: mark for name, mark in body.items() if name not in ("ts", "values")}
            key = (key, orjson.dumps(marks))
        else:
            marks = {}
        kinds.append(key)
        if key not in found:
            found[key] = (list(ones), marks)
    numbers = {key: number for number, key in enumerate(found)}
    return list(found.items()), [numbers[key] for key in kinds]


def _as_they_are(rows: Sequence[Row]) -> Block:
    text = b"[%b]" % b",".join([row.body for row in rows])
    data = zlib.compress(text)
    columns = _time_columns(rows)
    columns[BODIES] = Named("", Column(None, 0, len(text), data if len(data) < len(text) else text))
    columns[LENGTHS] = Named("", encode([len(row.body) for row in rows]))
    return Block(rows[0].seq, rows[-1].seq, [], columns)


def _time_columns(rows: Sequence[Row]) -> dict[int, Named]:
    times, arrivals = [row.ts for row in rows], [row.arrived_ms for row in rows]
    columns = {TS: Named("", encode(times))}
    if _arrivals_of(times) != arrivals:
        columns[ARRIVED] = Named("", encode(arrivals))
    return columns


def _arrivals_of(times: list[float]) -> list[int]:
    """Return when readings arrived whose ``ts`` is the arrival."""
    return list(map(int, map(mul, times, repeat(1000))))
