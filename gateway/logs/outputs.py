"""Where log entries go: lines to a descriptor, or entries with fields to systemd's journal."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from gateway.logs.formats import Journal, formatter_for, is_journal, priority_of
from gateway.runtime import native_datagram_socket, native_write

JOURNAL_SOCKET = Path("/run/systemd/journal/socket")
Hide = Callable[[str], str]
_WAIT_S = 5.0
"""For a journal that doesn't take an entry."""


class Output(Protocol):
    """Makes bytes of records in any thread, and writes them in the log's own, where it may block."""

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return the entry."""

    def write(self, entry: bytes) -> None:
        """Write an entry, or lose it; never raises."""


class Lines:
    """To a descriptor.

    Parameters
    ----------
    hide
        Takes out of a text what nobody is to see; any thread calls it.
    """

    def __init__(self, fd: int, formatter: logging.Formatter, hide: Hide = str) -> None:
        self._fd = fd
        self._formatter = formatter
        self._hide = hide

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return the lines."""
        return self._hide(self._formatter.format(record)).encode(errors="backslashreplace") + b"\n"

    def write(self, entry: bytes) -> None:
        """Write all of it."""
        while entry:
            try:
                entry = entry[native_write(self._fd, entry) :]
            except OSError:
                return


class Entries:
    """To the journal, in its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): a traceback stays one entry.

    Parameters
    ----------
    path
        Of the journal's socket.
    fd
        Where it goes while the journal doesn't take it there: the stream that it reads too.
    hide
        Takes out of a text what nobody is to see; any thread calls it.
    """

    def __init__(self, path: Path, fd: int, hide: Hide = str) -> None:
        self._path = str(path)
        self._hide = hide
        self._lines = Lines(fd, Journal(), hide)
        self._formatter = Journal(prefix=False)
        self._socket: Any = None

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return the fields, and behind them the lines in case they can't be sent."""
        fields = {
            "PRIORITY": str(priority_of(record)),
            "SYSLOG_IDENTIFIER": "gatewayd",
            "LOGGER": record.name,
            "GATEWAY_SOURCE": str(getattr(record, "source", "")),
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
            "MESSAGE": self._hide(self._formatter.format(record)),
        }
        entry = b"".join(_field(name, value) for name, value in fields.items() if value)
        return len(entry).to_bytes(4, "little") + entry + self._lines.encode(record)

    def write(self, entry: bytes) -> None:
        """Send the fields, else write the lines."""
        end = 4 + int.from_bytes(entry[:4], "little")
        try:
            self._socket = self._socket or _waiting_socket()
            self._socket.sendto(entry[4:end], self._path)
        except OSError:  # it isn't there, or is stuck, or finds this too long
            self._lines.write(entry[end:])


def _waiting_socket() -> Any:
    made = native_datagram_socket()
    made.settimeout(_WAIT_S)
    return made


def _field(name: str, value: str) -> bytes:
    data = value.encode(errors="backslashreplace")
    if b"\n" not in data:
        return b"%s=%s\n" % (name.encode(), data)
    return b"%s\n%s%s\n" % (name.encode(), len(data).to_bytes(8, "little"), data)


def output_for(form: str | None, fd: int, hide: Hide = str, journal: Path = JOURNAL_SOCKET) -> Output:
    """Return what writes in ``form``; None: in what fits to where ``fd`` leads."""
    if form is None and is_journal(fd) and journal.is_socket():
        return Entries(journal, fd, hide)
    return Lines(fd, formatter_for(form, fd), hide)
