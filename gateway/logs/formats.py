"""How a log record is written: for people, for systemd's journal, for programs."""

import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import orjson

_MOST_CHARACTERS = 8192
_CONTROLS = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160)) if number != ord("\t")}
"""What a stranger's text could begin a line of its own with, or move a terminal's cursor."""
_SYSLOG = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Levels of syslog(3); sd-daemon(3) has them in front of each line."""


class _Formatter(logging.Formatter):
    """A message is one line, whatever is in it; a traceback, and the field ``detail``, are as many as they have."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines."""
        text, detail = super().format(record), getattr(record, "detail", "")
        return f"{text}\n{detail.rstrip()}" if detail else text

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        record.message = _cut(record.message).translate(_CONTROLS)
        return super().formatMessage(record)


class Plain(_Formatter):
    """For people at a terminal, and for files."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")


class Journal(_Formatter):
    """For the journal, which adds the time itself.

    Parameters
    ----------
    prefix
        Whether each line begins with its priority.
    """

    def __init__(self, *, prefix: bool = True) -> None:
        super().__init__("%(message)s")
        self._prefix = prefix

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines."""
        text = super().format(record)
        if not self._prefix:
            return text
        return "\n".join(f"<{priority_of(record)}>{line}" for line in text.splitlines())


class Json(logging.Formatter):
    """For programs: an object a line, with the fields that are known."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _encodable(_cut(record.getMessage())),
        }
        for name in ("source", "detail"):
            if hasattr(record, name):
                fields[name] = _encodable(str(getattr(record, name)))
        if record.exc_info:
            fields["traceback"] = _encodable(self.formatException(record.exc_info))
        return orjson.dumps(fields).decode()


def priority_of(record: logging.LogRecord) -> int:
    """Return the level of syslog(3)."""
    return next((priority for level, priority in _SYSLOG if record.levelno >= level), 7)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…"


def _encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


FORMATS: Mapping[str, Callable[[], logging.Formatter]] = {"plain": Plain, "journal": Journal, "json": Json}


def formatter_for(name: str | None, fd: int) -> logging.Formatter:
    """Return the one called so; None: what fits to where ``fd`` leads."""
    return FORMATS[name or ("journal" if is_journal(fd) else "plain")]()


def is_journal(fd: int) -> bool:
    """Tell whether ``fd`` leads to systemd's journal, as systemd.exec(5) has it for $JOURNAL_STREAM."""
    try:
        found = os.fstat(fd)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
