"""Many readings of one shape as text, to columns and back, without an object for each reading.

The text of a reading is as ``model.encode_body`` makes it. What lies between its values is the same in all readings of
one shape; so it is cut out of, or put into, the text of many at once.
"""

from collections.abc import Sequence
from typing import Any

import orjson

NEWLINE = b"\n"
"""Between two readings: what encodes them never puts one inside."""


def columns_of(bodies: Sequence[bytes], names: Sequence[str]) -> list[list[Any]] | None:
    """Return ``ts`` and the values of each metric; None where these readings aren't so simple.

    That they are is only likely: text that has no such shape may give columns too, which give back another text.
    """
    *between, end = _between(names)
    text = NEWLINE.join(bodies).removeprefix(between[0]).removesuffix(end).replace(end + NEWLINE + between[0], b",")
    for part in between[1:]:
        text = text.replace(part, b",")
    try:
        values = orjson.loads(b"[%b]" % text)
    except ValueError:
        return None
    width = len(between)
    return [values[at::width] for at in range(width)] if len(values) == len(bodies) * width else None


def times_of(bodies: Sequence[bytes]) -> list[float]:
    """Return ``ts`` of each; 0 of what came through damage and is no reading."""
    try:
        found = [body["ts"] for body in orjson.loads(b"[%b]" % b",".join(bodies))]
    except (ValueError, TypeError, KeyError):
        return list(map(_time_of, bodies))
    return found if len(found) == len(bodies) and set(map(type, found)) <= {float} else list(map(_time_of, bodies))


def _time_of(body: bytes) -> float:
    try:
        return float(orjson.loads(body)["ts"])
    except (ValueError, TypeError, KeyError):
        return 0.0


def texts_of(columns: Sequence[Sequence[Any]], names: Sequence[str]) -> bytes | None:
    """Return what ``columns_of`` takes; None where a text among the values has a comma."""
    parts = [orjson.dumps(column)[1:-1].split(b",") for column in columns]
    count = len(columns[0])
    if any(len(part) != count for part in parts):
        return None
    *between, end = _between(names)
    between[0] = end + NEWLINE + between[0]
    width = 2 * len(parts)
    pieces = [b""] * (width * count)
    for at, (key, part) in enumerate(zip(between, parts, strict=True)):
        pieces[2 * at :: width] = [key] * count
        pieces[2 * at + 1 :: width] = part
    return b"".join(pieces)[len(end) + 1 :] + end


def _between(names: Sequence[str]) -> list[bytes]:
    """Return what is before ``ts``, before each value, and behind the last."""
    keys = [orjson.dumps(name) + b":" for name in names]
    first = [b',"values":{' + key for key in keys[:1]]
    return [b'{"ts":', *first, *(b"," + key for key in keys[1:]), b"}}"]
