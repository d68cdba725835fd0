"""One column of a block: a value of each reading, as JSON that a library compresses well and SQLite can read.

Numbers are whole, after a scaling by a power of ten that loses nothing, and each is kept as its difference
from the one before, less the mean difference. What doesn't scale, or is no number, stays as it is.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, islice, repeat
from math import copysign
from operator import add, mul, sub, truediv
from types import NoneType
from typing import NamedTuple

import orjson

from gateway.model import Value

_MOST_DECIMALS = 9
_EXACT = 2**53
"""Whole numbers up to here are exact as floats."""
_LEVEL = 4
"""Of compression: no larger than level 6 on differences of measured values, in half of its time."""
_ROUND = float.__round__
"""What ``round`` calls, in half of its time."""
_SAMPLES = 16
"""Values that the number of decimals is guessed from."""


class Column(NamedTuple):
    """A column as it lies in the file."""

    scale: int | None
    """Divided by 10 to the power of it, numbers are floats; 0: they are ints; None: ``data`` has the values."""
    step: int
    """Mean difference, which is left out of each."""
    size: int
    """Bytes of the JSON; ``data`` has as many where compressing it doesn't help."""
    data: bytes


class Extremes(NamedTuple):
    """What a chart over a long time needs of a column; all None or 0 where it has no numbers."""

    kind: str
    """``bool``, ``int`` or ``float``, as all its numbers are, else ``mixed``; so too where SQLite would make 0 of an
    extreme of -0.0: these are looked up among the readings."""
    least: float | None
    least_at: int
    """Index of the first reading that has it."""
    greatest: float | None
    greatest_at: int
    total: float
    numbers: int
    """How many there are."""


def encode(values: Sequence[Value | None]) -> Column:
    """Return ``values``, None where a reading has none."""
    present = _present(values)
    scale, numbers = _scaled(present)
    if scale is None:
        return _compressed(None, 0, values)
    step = round((numbers[-1] - numbers[0]) / (len(numbers) - 1)) if len(numbers) > 1 else 0
    between = map(sub, islice(numbers, 1, None), numbers)
    differences = [*numbers[:1], *(map(sub, between, repeat(step)) if step else between)]
    return _compressed(scale, step, differences if len(present) == len(values) else _spread(differences, values))


def _present(values: Sequence[Value | None]) -> Sequence[Value]:
    return [value for value in values if value is not None] if None in values else values  # type: ignore[return-value]  # no None


def decode(column: Column) -> list[Value | None]:
    """Return the values as they were.

    Raises
    ------
    ValueError, zlib.error
        It is damaged.
    """
    content = column.data if len(column.data) == column.size else zlib.decompress(column.data)
    values: list[Value | None] = orjson.loads(content)
    if column.scale is None:
        return values
    differences: list[int] = _present(values)  # type: ignore[assignment]  # ints all
    if column.step:
        differences[1:] = map(add, islice(differences, 1, None), repeat(column.step))
    numbers = accumulate(differences)
    found: list[Value] = list(map(truediv, numbers, repeat(10**column.scale)) if column.scale else numbers)
    return found if len(found) == len(values) else _spread(found, values)  # type: ignore[return-value]


def extremes(values: Sequence[Value | None]) -> Extremes:
    """Return the extremes of what can be compared; booleans count as 0 and 1."""
    kinds = set(map(type, values)) - {NoneType}
    is_plain = len(kinds) == 1 and kinds <= {int, float} and None not in values
    numbers: Sequence[float] = values if is_plain else [value for value in values if isinstance(value, (int, float))]  # type: ignore[assignment]
    if not numbers:
        return Extremes("mixed", None, 0, None, 0, 0.0, 0)
    least, greatest = min(numbers), max(numbers)
    kind = kinds.pop().__name__ if len(kinds) == 1 and not any(map(_is_below_0, (least, greatest))) else "mixed"
    ends = (_storable(least), values.index(least), _storable(greatest), values.index(greatest))
    total = sum(numbers if kind == "float" else map(float, numbers))
    return Extremes(kind, *ends, float(total), len(numbers))


def _is_below_0(number: float) -> bool:
    """Tell -0.0 from all others."""
    return number == 0 and copysign(1.0, number) < 0


def _storable(number: float) -> float:
    """Return an int as SQLite can hold it."""
    return float(number) if abs(number) >= 2**63 else number


def _scaled(values: Sequence[Value]) -> tuple[int | None, list[int]]:
    """Return a scale and whole numbers that give ``values`` back exactly; None: there are none."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return _if_exact(0, list(values))  # type: ignore[arg-type]  # ints all
    return _scaled_floats(values) if kinds == {float} else (None, [])  # type: ignore[arg-type]  # floats all


def _scaled_floats(values: Sequence[float]) -> tuple[int | None, list[int]]:
    if 0.0 in values and any(map(_is_below_0, values)):
        return None, []
    for decimals in range(max(map(_decimals, values[:: max(1, len(values) // _SAMPLES)])), _MOST_DECIMALS + 1):
        power = 10**decimals
        try:
            numbers = list(map(_ROUND, map(mul, values, repeat(float(power)))))
        except OverflowError:
            return None, []
        if list(map(truediv, numbers, repeat(power))) == values:
            return _if_exact(decimals, numbers)
    return None, []


def _decimals(value: float) -> int:
    """Return how many decimals it is written with, at least 1: a float's scale is never 0."""
    text = repr(value)
    return _MOST_DECIMALS + 1 if "e" in text else max(1, len(text.partition(".")[2]))


def _if_exact(scale: int, numbers: list[int]) -> tuple[int | None, list[int]]:
    return (scale, numbers) if max(numbers) < _EXACT and min(numbers) > -_EXACT else (None, [])


def _spread(present: Iterable[Value], values: Sequence[Value | None]) -> list[Value | None]:
    """Return ``present`` with None where ``values`` have it."""
    following: Callable[[], Value] = iter(present).__next__
    return [None if value is None else following() for value in values]


def _compressed(scale: int | None, step: int, values: Sequence[Value | None]) -> Column:
    content = orjson.dumps(values)
    data = zlib.compress(content, _LEVEL)
    return Column(scale, step, len(content), data if len(data) < len(content) else content)
