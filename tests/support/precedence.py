"""Who runs first where there are more processes than cores: what is measured, before whatever else the machine does.

A gateway can't answer for the CPU time that others take, and tests run beside many of them.
"""

import os
from contextlib import contextmanager, suppress
from pathlib import Path

MEASURED, MEASURING = 2, 1
"""Of those who go first, whose turn it is first. Load goes before others too: who is interrupted while it holds a lock
of the kernel's, holds up all who wait for that."""


def go_first(pid, turn=MEASURED):
    """Let all threads of a process, and those that it starts, run before all who don't; where we may not, nothing."""
    with suppress(PermissionError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(turn))


@contextmanager
def going_first(*pids):
    """Let other processes, and until the end this one, go first."""
    for pid in (*pids, os.getpid()):
        go_first(pid)
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
