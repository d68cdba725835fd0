"""What systemd is to a service, as far as a socket goes: takes in what the service tells it."""

import socket
from pathlib import Path
from typing import Self

from tests.support.ports import wait_until


class ServiceManager:
    """A notification socket and all that was told to it; a context manager.

    Parameters
    ----------
    directory
        Where the socket goes; made if missing.
    watchdog_s
        Given to the service as ``WatchdogSec``; None: no watchdog.
    """

    def __init__(self, directory: Path, *, watchdog_s: float | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / "notify.sock"
        self.told: list[tuple[str, str]] = []
        self.environment = {"NOTIFY_SOCKET": str(self._path)}
        if watchdog_s is not None:
            self.environment["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._socket.setblocking(False)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def take(self) -> list[tuple[str, str]]:
        """Take in what is there, and return all that was told so far: name and value."""
        while True:
            try:
                text = self._socket.recv(4096).decode()
            except BlockingIOError:
                return self.told
            self.told += [(name, value) for name, _, value in (line.partition("=") for line in text.splitlines())]

    def values(self, name: str) -> list[str]:
        """Return what was told under ``name``, in order."""
        return [value for told, value in self.take() if told == name]

    def wait_for(self, name: str, part: str = "", *, timeout_s: float = 20.0) -> None:
        """Wait until ``name`` was told with ``part`` in it."""
        wait_until(lambda: any(part in value for value in self.values(name)), f"{name}={part}", timeout_s=timeout_s)

    def signs_of_life(self) -> int:
        """Return how many came so far."""
        return len(self.values("WATCHDOG"))
