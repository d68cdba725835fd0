"""The daemon's clocks: one for stamps, one for intervals, and one that outlives the process.

Only what is shown or kept as a time comes from ``now``: it may be wrong, and jump either way.
"""

import time
from pathlib import Path
from time import CLOCK_BOOTTIME, clock_gettime
from uuid import uuid4

SET_AFTER = 1_735_689_600.0
"""2025-01-01 in Unix seconds. A clock before it was never set: a box without a battery starts in
1970, or on the day that its image was built."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now() -> float:
    """Return Unix seconds, to the microsecond: the daemon's one source of time.

    What the clock says beyond is noise, and takes the journal and every viewer bytes.
    """
    return time.time_ns() // 1000 / 1e6  # round() takes 1.7 µs, for each message


def is_set(at: float) -> bool:
    """Tell whether ``at``, in Unix seconds as ``now`` gave them, is of a clock that was set."""
    return at >= SET_AFTER


monotonic = time.monotonic
"""Returns seconds that never go backwards, for intervals."""

cpu_time = time.thread_time
"""Returns seconds of CPU time that the calling thread has had."""


def since_boot() -> float:
    """Return seconds since the machine booted, asleep or not: the same count for all its processes."""
    return clock_gettime(CLOCK_BOOTTIME)


def boot_id() -> str:
    """Return the name of this boot, by which ``since_boot`` counts; one of this process's own where there is none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return str(uuid4())
