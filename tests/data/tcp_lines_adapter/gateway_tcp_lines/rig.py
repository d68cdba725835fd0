"""The other end for the conformance suite: a sensor."""

import contextlib
import socket
import threading
from pathlib import Path

HOST = "127.0.0.1"


class TcpLinesRig:
    """Accepts connections, and writes each message to all of them."""

    other_end = True

    def __init__(self, _directory: Path) -> None:
        with socket.create_server((HOST, 0)) as chosen:
            self._port = chosen.getsockname()[1]
        self.table = {"host": HOST, "port": self._port, "device": "example"}
        self._listener: socket.socket | None = None
        self._clients: list[socket.socket] = []
        self._connected = threading.Event()

    def start(self) -> None:
        """Listen."""
        self._listener = socket.create_server((HOST, self._port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self) -> None:
        """Hang up, and listen no more."""
        if self._listener is None:
            return
        for each in (self._listener, *self._clients):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._listener = None
        self._clients.clear()
        self._connected.clear()

    def send(self, payload: bytes) -> None:
        """Write a line."""
        assert self._connected.wait(10.0), "nobody has connected"
        for client in self._clients:
            with contextlib.suppress(OSError):  # an earlier run's
                client.sendall(payload + b"\n")

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._clients.append(listener.accept()[0])
                self._connected.set()
