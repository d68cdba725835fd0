"""A network between two programs that can be cut in mid-packet, go silent, or be away."""

import contextlib
import socket
import struct
import threading
from typing import Self

from tests.support.ports import LOOPBACK, free_port

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of nothing: closing sends a reset, as a router does that forgot a connection."""
_TICK_S = 0.05


class Proxy:
    """Passes TCP on to ``target`` on the loopback, as faultily as told; a context manager.

    ``port`` stays the same over ``refuse`` and ``listen``.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.cuts = 0
        self._target = target
        self._lock = threading.Lock()
        self._links: list[_Link] = []
        self._left: int | None = None
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def listen(self) -> None:
        """Take connections; nothing happens if it does already."""
        if self._listener is None:
            self._listener = socket.create_server((LOOPBACK, self.port))
            self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
            self._acceptor.start()

    def refuse(self) -> None:
        """Take no connections, and end those that stand."""
        if self._listener is not None and self._acceptor is not None:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
            self._acceptor.join()  # so that the last one is among those that are cut
            self._listener.close()
            self._listener = self._acceptor = None
        self.cut()

    def cut(self) -> None:
        """End all connections at once."""
        with self._lock:
            links, self._links, self._left = self._links, [], None
        self.cuts += bool(links)
        for link in links:
            link.cut()

    def cut_after(self, count: int) -> None:
        """End all connections when ``count`` more bytes went through, in whichever direction."""
        with self._lock:
            self._left = count

    def stall(self) -> None:
        """Let nothing through on the connections that stand, and leave them open; new ones are well."""
        with self._lock:
            for link in self._links:
                link.flowing.clear()

    def resume(self) -> None:
        """Let what stalled go on, where it still stands."""
        with self._lock:
            for link in self._links:
                link.flowing.set()

    def allowance(self, wanted: int) -> tuple[int, bool]:
        """Return how many of ``wanted`` bytes may pass, and whether the connections end behind them."""
        with self._lock:
            if self._left is None:
                return wanted, False
            passed = min(wanted, self._left)
            self._left -= passed
            return passed, self._left == 0

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                try:
                    server = socket.create_connection((LOOPBACK, self._target), timeout=5.0)
                except OSError:
                    client.close()
                    continue
                link = _Link(self, client, server)
                with self._lock:
                    self._links.append(link)
                link.start()


class _Link:
    """One connection, and its continuation."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.flowing = threading.Event()
        self.flowing.set()
        self._proxy = proxy
        self._ends = (client, server)
        self._closed = threading.Event()

    def start(self) -> None:
        for source, drain in (self._ends, self._ends[::-1]):
            source.settimeout(None)
            threading.Thread(target=self._pump, args=(source, drain), daemon=True).start()

    def cut(self) -> None:
        self._closed.set()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RD)  # wakes the pump, which waits in recv
            end.close()

    def _pump(self, source: socket.socket, drain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                while not self.flowing.wait(_TICK_S):
                    if self._closed.is_set():
                        return
                count, is_end = self._proxy.allowance(len(data))
                drain.sendall(data[:count])
                if is_end:
                    self._proxy.cut()
                    return
        self.cut()
