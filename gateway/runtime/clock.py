"""The daemon's two clocks."""

import time


def now() -> float:
    """Return Unix seconds: the daemon's one source of time."""
    return time.time()


def monotonic() -> float:
    """Return seconds that never go backwards, for intervals."""
    return time.monotonic()
