"""What every thread is doing, native and green: for the log, when something hangs."""

import gc
import sys
import traceback
from collections import Counter
from types import FrameType

from greenlet import greenlet

_MOST = 60
"""Different stacks."""
_DEEPEST = 25
"""Calls of one stack, the innermost."""


def stacks() -> str:
    """Return the stacks of all threads as text, each once, with how many have it; holds the hub for some 50 ms."""
    seen = Counter("".join(traceback.format_stack(frame)[-_DEEPEST:]) for frame in _frames())
    shown = [f"{count} x\n{stack}" for stack, count in seen.most_common(_MOST)]
    left_out = [f"and {len(seen) - _MOST} more"] if len(seen) > _MOST else []
    return "\n".join(shown + left_out)


def _frames() -> list[FrameType]:
    native = sys._current_frames().values()  # noqa: SLF001  the documented name
    green = [thing.gr_frame for thing in _objects() if isinstance(thing, greenlet)]
    return [*native, *(frame for frame in green if frame is not None)]  # none: it has ended, or it runs now


def _objects() -> list[object]:
    """Return all that the garbage collector knows, with what it was told to pass over: the first green threads."""
    frozen = gc.get_freeze_count() > 0
    gc.unfreeze()
    found = gc.get_objects()
    if frozen:
        gc.freeze()
    return found
