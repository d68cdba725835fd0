"""What systemd is told of this process (sd_notify(3)); nothing, where systemd didn't start it."""

from collections.abc import Mapping
from contextlib import suppress
from os import getpid
from typing import Any

from gateway.runtime import native_datagram_socket

_MOST_STATUS = 500
"""Characters: ``systemctl status`` shows it in one line."""


class Notifier:
    """Speaks to the service manager, and never waits for it; hub thread only.

    Parameters
    ----------
    environ
        The process's environment: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` are systemd's.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog_s = _watchdog_s(environ) if address else None
        """Without a sign of life for so long this process is ended; None: nobody watches."""
        self._socket: Any = None
        self._status = ""
        self._unsent: dict[str, str] = {}
        """What found the socket full; the newest of each kind. It goes with what is told next."""

    def ready(self) -> None:
        """Say that what was starting, or reloading, is done."""
        self._tell(READY="1")

    def reloading(self) -> None:
        """Say that the configuration is being read again; ``ready`` follows."""
        self._tell(RELOADING="1")

    def stopping(self) -> None:
        """Say that the process ends by itself."""
        self._tell(STOPPING="1")

    def alive(self) -> None:
        """Give the sign of life."""
        self._tell(WATCHDOG="1")

    def status(self, words: str) -> None:
        """Say how it goes, where that is news, and what could not be said before."""
        line = " ".join(words.split())[:_MOST_STATUS]
        if line != self._status:
            self._status = line
            self._tell(STATUS=line)
        elif self._unsent:
            self._tell()

    def close(self) -> None:
        """Let the socket go; nothing is told any more."""
        self._address = ""
        if self._socket is not None:
            self._socket.close()

    def _tell(self, **news: str) -> None:
        if not self._address:
            return
        self._unsent |= news
        text = "\n".join(f"{name}={value}" for name, value in self._unsent.items())
        with suppress(OSError):  # full, or gone: there is nobody to tell it to, and what counts is told again
            self._socket = self._socket or native_datagram_socket()
            self._socket.sendto(text.encode(), self._address)
            self._unsent.clear()


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """Return what sd_watchdog_enabled(3) would, in seconds."""
    period = environ.get("WATCHDOG_USEC", "")
    is_ours = environ.get("WATCHDOG_PID") in {None, "", str(getpid())}
    return int(period) / 1e6 if is_ours and period.isdecimal() and int(period) else None
