"""Green threads: starting them, and letting them wait."""

import contextlib
import logging
from collections.abc import Callable
from typing import Any, ParamSpec

import eventlet
import eventlet.event
import eventlet.hubs

P = ParamSpec("P")
log = logging.getLogger(__name__)


def sleep(seconds: float = 0.0) -> None:
    """Let others run, for at least ``seconds``."""
    eventlet.sleep(seconds)


class Task:
    """A running green thread."""

    def __init__(self, thread: Any) -> None:
        self._thread = thread

    def kill(self) -> None:
        """End it now, wherever it waits."""
        self._thread.kill()

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; return whether it came in time."""
        with eventlet.Timeout(timeout_s, False):
            with contextlib.suppress(eventlet.greenlet.GreenletExit):
                self._thread.wait()
            return True
        return False


def spawn(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Task:
    """Run ``function`` in a green thread; what it raises is logged with a traceback."""

    def guarded() -> None:
        try:
            function(*args, **kwargs)
        except Exception:
            log.exception("background task %s failed", getattr(function, "__qualname__", function))

    return Task(eventlet.spawn(guarded))


class Event:
    """Set once, waited for by any number of green threads."""

    def __init__(self) -> None:
        self._set = False
        self._event = eventlet.event.Event()

    def is_set(self) -> bool:
        """Tell whether ``set`` was called."""
        return self._set

    def set(self) -> None:
        """Wake everybody who waits; hub thread only."""
        if not self._set:
            self._set = True
            self._event.send()

    def wait(self, timeout_s: float) -> bool:
        """Wait until set, at most ``timeout_s``; return whether it is set."""
        if not self._set:
            with eventlet.Timeout(timeout_s, False):
                self._event.wait()
        return self._set


def wait_readable(fd: int, timeout_s: float) -> bool:
    """Wait until ``fd`` can be read; return False after ``timeout_s``.

    Only one green thread may wait for a descriptor, and only its owner may close it: closing wakes
    nobody (docs/traps.md 2.1).
    """
    return _wait(fd, timeout_s, read=True)


def wait_writable(fd: int, timeout_s: float) -> bool:
    """Wait until ``fd`` takes bytes; return False after ``timeout_s``."""
    return _wait(fd, timeout_s, write=True)


def _wait(fd: int, timeout_s: float, *, read: bool = False, write: bool = False) -> bool:
    try:
        eventlet.hubs.trampoline(fd, read=read, write=write, timeout=timeout_s)
    except eventlet.Timeout:
        return False
    return True
