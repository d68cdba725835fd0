"""How the process takes memory from the system: so that what it holds doesn't grow with how long it runs."""

import ctypes
import sys

_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""
_ARENAS = 2
"""One for the hub, one for the native threads: beside Python's lock they have little to wait for each other."""


def few_arenas() -> bool:
    """Let all threads share two heaps, where glibc would give each thread one of its own.

    Each heap keeps the most that its thread ever needed at once, so that over days the peaks of all threads add up.
    Called once, before threads are started. Returns whether it could be set: another C library has no such setting.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    set_option.argtypes, set_option.restype = [ctypes.c_int, ctypes.c_int], ctypes.c_int
    return bool(set_option(_M_ARENA_MAX, _ARENAS))
