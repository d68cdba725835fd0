"""The time that a source gives its readings, in any of the usual ways of writing one."""

import re
from datetime import UTC, datetime

from gateway.decoding.words import shown
from gateway.errors import Rejected

# Magnitudes don't overlap: 1e11 s is in the year 5138, 1e11 ms in 1973, and likewise below.
_UNITS = ((1e11, 1), (1e14, 10**3), (1e17, 10**6), (1e20, 10**9))
# What ISO 8601 is written with; datetime alone takes more, such as any sign between date and time.
_ISO = re.compile(r"[0-9W:.,TZtz +-]{7,40}", re.ASCII)


def source_time(name: str, value: object) -> float:
    """Return the Unix seconds of field ``name``.

    ``value`` is a Unix time in seconds, milliseconds, microseconds or nanoseconds, told apart by
    magnitude, or text in ISO 8601; without an offset it is taken as UTC.

    Raises
    ------
    Rejected
        It is neither, or before 1970.
    """
    if type(value) is float and 0.0 <= value < _UNITS[0][0]:
        return value  # what most sources give
    seconds = _iso(value) if isinstance(value, str) else _number(value)
    if seconds is None:
        raise Rejected(f"{name}: expected Unix time or ISO 8601, got {shown(value)}")
    if seconds < 0:
        raise Rejected(f"{name}: expected a time after 1970, got {shown(value)}")
    return seconds


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    for below, per_second in _UNITS:
        if abs(value) < below:
            return value / per_second
    return None


def _iso(text: str) -> float | None:
    if not _ISO.fullmatch(text):
        return None
    try:
        when = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
