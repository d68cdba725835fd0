"""Logging that never blocks the hub: a bounded queue, and a native thread that writes.

A plain stream handler on a stalled stderr freezes every green thread (docs/traps.md 6.5).
"""

import logging
import os
from collections import deque

from gateway.runtime import NativeCondition, NativeThread, monotonic, native_write

_MOST_WAITING = 10_000
_PLAIN = "%(asctime)s %(levelname)-7s %(message)s"


class BackgroundHandler(logging.Handler):
    """Formats on the caller's thread, writes on its own; drops and counts when too much waits."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self.dropped = 0
        self._fd = fd
        self._lines: deque[bytes] = deque()
        self._changed = NativeCondition()
        self._closing = False
        self._thread = NativeThread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record."""
        if len(self._lines) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._lines.append(self.format(record).encode(errors="backslashreplace") + b"\n")
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, for at most a second."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(1.0)
        super().close()

    def _write(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._closing:
                    self._changed.wait()
            if not self._lines:
                return
            self._write_all(self._lines.popleft())

    def _write_all(self, line: bytes) -> None:
        while line:
            try:
                line = line[native_write(self._fd, line) :]
            except OSError:
                return


def set_up(level: str) -> BackgroundHandler:
    """Send all log records to stderr; under systemd the journal adds the time itself."""
    handler = BackgroundHandler(2)
    under_systemd = "JOURNAL_STREAM" in os.environ
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s" if under_systemd else _PLAIN))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    return handler


class Throttled:
    """One line a source and second at most, with the count of those that were held back."""

    def __init__(self, logger: str, what: str, every_s: float = 1.0) -> None:
        self._log = logging.getLogger(logger)
        self._what = what
        self._every_s = every_s
        self._said: dict[str, tuple[float, int]] = {}

    def warn(self, source: str, reason: str) -> None:
        """Log ``reason``, or count it for the next line."""
        said, held = self._said.get(source, (-self._every_s, 0))
        at = monotonic()
        if at - said < self._every_s:
            self._said[source] = (said, held + 1)
            return
        more = f" (and {held} before)" if held else ""
        self._said[source] = (at, 0)
        self._log.warning("source %s: message %s: %s%s", source, self._what, reason, more)


class Defects:
    """The traceback of a defect of ours, once a kind: it would come with each message."""

    def __init__(self, logger: str) -> None:
        self._log = logging.getLogger(logger)
        self._seen: set[str] = set()

    def report(self, what: str, error: Exception) -> None:
        """Log that ``what`` failed, the first time."""
        if what not in self._seen:
            self._seen.add(what)
            self._log.error("%s failed", what, exc_info=error)
