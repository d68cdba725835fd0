"""The other end for the conformance suite: a sensor."""

import contextlib
import select
import socket
from collections.abc import Callable
from pathlib import Path

from tests.support.ports import LOOPBACK, free_port

PATIENCE_S = 10.0


class TcpLinesRig:
    """Listens, and writes each message to all that are connected."""

    other_end = True

    def __init__(self, _directory: Path) -> None:
        self._port = free_port()
        self.table = {"host": LOOPBACK, "port": self._port, "device": "example"}
        self._listener: socket.socket | None = None
        self._clients: list[socket.socket] = []

    def start(self) -> None:
        """Listen."""
        self._listener = socket.create_server((LOOPBACK, self._port))

    def stop(self) -> None:
        """Hang up, and listen no more."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self._keep(lambda _: False)

    def send(self, payload: bytes) -> None:
        """Write a line; somebody has to be connected, or to come soon."""
        self._accept()
        assert self._clients, "nobody has connected"
        for client in self._clients:
            with contextlib.suppress(OSError):  # it hung up just now
                client.sendall(payload + b"\n")

    def _accept(self) -> None:
        """Accept who waits, and somebody at least; forget who hung up."""
        assert self._listener is not None, "it doesn't listen"
        self._keep(_stands)
        while _is_readable(self._listener, 0.0 if self._clients else PATIENCE_S):
            self._clients.append(self._listener.accept()[0])
            self._keep(_stands)

    def _keep(self, wanted: Callable[[socket.socket], bool]) -> None:
        kept = [client for client in self._clients if wanted(client)]
        for client in self._clients:
            if client not in kept:
                client.close()
        self._clients = kept


def _stands(client: socket.socket) -> bool:
    """Tell whether nothing came: the gateway sends nothing, so what could be read is the end."""
    return not _is_readable(client)


def _is_readable(end: socket.socket, timeout_s: float = 0.0) -> bool:
    return bool(select.select([end], [], [], timeout_s)[0])
