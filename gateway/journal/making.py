"""Makes blocks of readings, and proves that they come out bit for bit, by the code that readers use.

Without an object for each reading where they differ in nothing but their values; else with one; else as they are.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import orjson

from gateway.journal.blocks import (
    ARRIVED,
    BODIES,
    LENGTHS,
    METRICS,
    SHAPE,
    TS,
    Block,
    DamagedBlockError,
    Named,
    Unpacked,
    arrivals_of,
)
from gateway.journal.columns import Column, encode, extremes
from gateway.journal.rows import MOST_NAMES, Rows

_MOST_SHAPES = 256


def pack(rows: Rows) -> Iterator[Block | None]:
    """Make a block of at most ``MOST_READINGS``: yield None between parts of the work, at last the block.

    What comes out of it is compared with ``rows`` before it is yielded.
    """
    for make in (_as_columns_of_text, _as_columns, _as_they_are):
        block = make(rows)
        yield None
        if block is not None and _gives_back(block, rows):
            yield block
            return
    raise DamagedBlockError(f"readings {rows.first} to {rows.last} don't come out as they went in")


def packed(rows: Rows) -> Block:
    """Make a block in one go."""
    (block,) = [block for block in pack(rows) if block]
    return block


def _gives_back(block: Block, rows: Rows) -> bool:
    try:
        found = Unpacked(block)
        same = found.bodies(0, block.count) == rows.bodies
    except DamagedBlockError:
        return False
    return same and found.ts == rows.times and found.arrivals() == rows.arrivals


def _as_columns_of_text(rows: Rows) -> Block | None:
    """Return None where the readings differ in more than their values, as few do; takes a quarter of the time."""
    if not rows.names:
        return None
    columns = _time_columns(rows)
    for number, (name, values) in enumerate(zip(rows.names, rows.values, strict=True), start=METRICS):
        columns[number] = Named(name, encode(values), extremes(values))
    return Block(rows.first, rows.last, [(list(rows.names), {})], columns)


def _as_columns(rows: Rows) -> Block | None:
    """Return None where the bodies are no readings as ``model.encode_body`` makes them."""
    try:
        bodies = orjson.loads(b"[%b]" % b",".join(rows.bodies))
        values = [body["values"] for body in bodies]
        shapes, kinds = _shapes(bodies, values) if set(map(type, values)) == {dict} else ([], [])
    except (ValueError, TypeError, KeyError):
        return None
    names = list(dict.fromkeys(name for _, (names, _) in shapes for name in names))
    if len(values) != len(rows.bodies) or not 0 < len(shapes) <= _MOST_SHAPES or len(names) > MOST_NAMES:
        return None
    columns = _time_columns(rows)
    if len(shapes) > 1:
        columns[SHAPE] = Named("", encode(kinds))
    for number, name in enumerate(names, start=METRICS):
        column = [one.get(name) for one in values]
        columns[number] = Named(name, encode(column), extremes(column))
    return Block(rows.first, rows.last, [shape for _, shape in shapes], columns)


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


def _as_they_are(rows: Rows) -> Block:
    text = b"[%b]" % b",".join(rows.bodies)
    data = zlib.compress(text)
    columns = _time_columns(rows)
    columns[BODIES] = Named("", Column(None, 0, len(text), data if len(data) < len(text) else text))
    columns[LENGTHS] = Named("", encode(list(map(len, rows.bodies))))
    return Block(rows.first, rows.last, [], columns)


def _time_columns(rows: Rows) -> dict[int, Named]:
    columns = {TS: Named("", encode(rows.times))}
    if arrivals_of(rows.times[:1]) != rows.arrivals[:1] or arrivals_of(rows.times) != rows.arrivals:
        columns[ARRIVED] = Named("", encode(rows.arrivals))
    return columns
