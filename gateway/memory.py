"""How the process takes memory from the system: so that what it holds doesn't grow with how long it runs."""

import ctypes
import gc
import sys

_M_ARENA_MAX = -8
"""Of glibc's malloc.h."""
_ARENAS = 2
"""One for the hub, one for the native threads: beside Python's lock they have little to wait for each other."""
_YOUNG_OBJECTS = 3_000
"""Python begins to look for cycles among 700 new objects. A commit's messages under way are more than that, and free
of cycles; past that the search begins as it should: what it finds late is memory."""


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


def search_seldom_for_cycles() -> None:
    """Let the garbage collector pass over all that is there now, and begin later; called once, when all is built.

    What the start made (modules, classes, schemas) stays for as long as the process runs: 70,000 objects, over which a
    full search stops the hub for some 30 ms.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
