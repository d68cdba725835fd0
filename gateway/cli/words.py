"""Names, times, sizes and values as people read them on a terminal."""

import base64
import time
from collections.abc import Iterator, Mapping
from datetime import datetime

from gateway.cli.shapes import Metric, Value
from gateway.durations import in_words

_DUMPED = 16
"""Bytes a line of a hex dump."""
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def printable(text: str) -> str:
    """Return ``text`` with what could command a terminal or hide itself spelled out."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def since(ts: float) -> str:
    """Return how long ago ``ts`` (Unix seconds) was."""
    return in_words(time.time() - ts)


def clock(ts: float) -> str:
    """Return the time of day of ``ts`` (Unix seconds), here, in milliseconds."""
    try:
        return datetime.fromtimestamp(ts).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (OverflowError, OSError, ValueError):
        return f"{ts:g}"  # a sensor's clock can say anything


def size(count: float) -> str:
    """Return bytes as ``1.4 GiB``."""
    for unit in _SIZES:
        if count < 1024 or unit == _SIZES[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("the last unit takes everything")


def number(count: int) -> str:
    """Return a count with its thousands apart."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def hexadecimal(encoded: str) -> Iterator[str]:
    """Yield the lines of a hex dump of bytes in base64."""
    data = base64.b64decode(encoded)
    for start in range(0, len(data), _DUMPED):
        part = data[start : start + _DUMPED]
        signs = "".join(chr(byte) if chr(byte).isascii() and chr(byte).isprintable() else "." for byte in part)
        yield f"{start:04x}  {part.hex(' '):{3 * _DUMPED - 1}}  {signs}"


def value(found: Value) -> str:
    """Return a metric's value."""
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, float):
        return f"{found:.10g}"
    return printable(str(found))


def values(found: Mapping[str, Value], metrics: Mapping[str, Metric]) -> str:
    """Return a reading's values in a line, with units where they are known."""
    return "  ".join(f"{printable(name)}={value(it)}{_unit(metrics.get(name))}" for name, it in found.items())


def _unit(metric: Metric | None) -> str:
    unit = metric.get("unit") if metric else None
    return f" {printable(unit)}" if unit else ""
