"""A bounded queue of log lines, and a native thread that writes them.

A plain stream handler on a stalled stderr freezes every green thread (docs/traps.md 6.5).
"""

import logging
from collections import deque
from collections.abc import Callable
from copy import copy

from gateway.logs.floods import Floods, Summary
from gateway.logs.outputs import Output, output_for
from gateway.runtime import NativeCondition, NativeThread, now

_MOST_WAITING = 10_000
_BURST = 10
"""Lines of one kind, which are of one place in the code and one source, before they are summed up."""


class BackgroundHandler(logging.Handler):
    """Encodes on the caller's thread, writes on its own.

    What comes too often is summed up, see ``Floods``. What finds no room is dropped and counted, and
    the count is written once there is room.
    """

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output
        self.dropped = 0
        self._told = 0
        self._template = logging.makeLogRecord({"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"})
        self._lines: deque[bytes] = deque()
        self._floods: Floods[logging.LogRecord] = Floods(_BURST)
        self._changed = NativeCondition()
        self._closing = False
        self._thread = NativeThread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue one record; a defect in the call that logs it is said, and harms nothing else."""
        try:
            self._take(record)
        except Exception:  # noqa: BLE001  as logging has it
            self.handleError(record)

    def _take(self, record: logging.LogRecord) -> None:
        kind = (record.name, record.msg, getattr(record, "source", None))
        bare = _with_text(record, record.getMessage())  # kept perhaps: without frames, and without what may change
        with self._changed:
            if not self._floods.passes(kind, bare):
                return
        if len(self._lines) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._lines.append(self._output.encode(record))
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, for at most a second."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(1.0)
        super().close()

    # ---- in the native thread

    def _write(self) -> None:
        while self._wait():
            while self._lines:
                self._output.write(self._lines.popleft())
                self._tell_dropped()

    def _wait(self) -> bool:
        """Wait for lines, for a summary that is due, or for the end; return False once all is written."""
        with self._changed:
            if not (self._lines or self._closing):
                self._changed.wait(self._floods.due_s)
            summaries = self._floods.due(all_now=self._closing)
        self._lines.extend([self._output.encode(_summed_up(summary)) for _, summary in summaries])
        return bool(self._lines or not self._closing)

    def _tell_dropped(self) -> None:
        count = self.dropped - self._told
        if count and len(self._lines) < _MOST_WAITING // 2:
            self._told += count
            text = f"{count} log lines found no room and are missing"
            self._output.write(self._output.encode(_said_now(self._template, text)))


def _summed_up(summary: Summary[logging.LogRecord]) -> logging.LogRecord:
    return _said_now(summary.last, f"{summary.last.msg} (the last of {summary.held} such lines in {summary.span})")


def _said_now(record: logging.LogRecord, text: str) -> logging.LogRecord:
    made = _with_text(record, text)
    made.created = now()
    made.msecs = int(made.created * 1000) % 1000
    return made


def _with_text(record: logging.LogRecord, text: str) -> logging.LogRecord:
    made = copy(record)
    made.msg, made.args, made.exc_info, made.exc_text = text, None, None, None
    made.__dict__.pop("detail", None)
    return made


def set_up(level: str, form: str | None = None, hide: Callable[[str], str] = str) -> BackgroundHandler:
    """Send all log records to stderr, in a form of ``FORMATS``; None: what fits to where that leads.

    ``hide``: takes out of each line what nobody is to see.
    """
    handler = BackgroundHandler(output_for(form, 2, hide))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    return handler


def dropped_lines() -> int:
    """Return how many lines of this process's log found no room."""
    return sum(handler.dropped for handler in logging.getLogger().handlers if isinstance(handler, BackgroundHandler))
