"""Signals reach the hub at once: a wake-up descriptor that a green thread reads (docs/traps.md 5.4)."""

import logging
import signal
from collections.abc import Callable, Mapping

from gateway.runtime import native_socketpair, wait_readable

log = logging.getLogger(__name__)


class Signals:
    """Calls a handler on the hub for each signal that it was given."""

    def __init__(self, handlers: Mapping[signal.Signals, Callable[[], None]]) -> None:
        self._handlers = {int(number): handler for number, handler in handlers.items()}
        self._reader, self._writer = native_socketpair()

    def install(self) -> None:
        """Take the signals over; main thread only."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in self._handlers:
            signal.signal(number, lambda *_: None)  # the descriptor gets the number

    def run(self) -> None:
        """Handle signals as they come, for ever; a green thread's body."""
        with self._reader, self._writer:
            while True:
                if wait_readable(self._reader.fileno(), 60.0):
                    for number in self._reader.recv(64):
                        self._handle(number)

    def _handle(self, number: int) -> None:
        """Call the handler; whatever it does, the next signal must find somebody who listens."""
        handler = self._handlers.get(number)  # none: the descriptor is the process's, and gets others' numbers too
        try:
            if handler is not None:
                handler()
        except Exception:
            log.exception("handling signal %d failed", number)
