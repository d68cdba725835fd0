"""Who may connect: so many in all, so many from one address, and nobody who keeps his request to himself."""

import contextlib
import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eventlet import greenio

from gateway.chores import Chores
from gateway.runtime import monotonic, sleep
from gateway.web.throttle import Allowance, Turnstile

log = logging.getLogger(__name__)

REQUEST_S = 10.0
"""From the connection, or from its first byte, to the end of a request's headers."""
_A_SECOND, _AT_ONCE = 200.0, 500.0
"""Connections that are taken."""
_COMES_S = 0.2e-3
"""CPU time that a newcomer costs about, before anything was asked."""
_BREATH_S = 0.001
"""Between any two: in a turn of the hub after which it doesn't rest, the journal's thread comes to nothing."""
_SWEEP_S = 1.0
_PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EPROTO, errno.EINTR}
"""What ``accept`` may fail with while there is nothing wrong with the listener; eventlet's server would end."""
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nContent-Length: 45\r\n\r\n"
    b"too many connections are open; try again soon"
)
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True, eq=False)
class Connection:
    """One TCP connection."""

    socket: Any
    address: str | None
    """Whose it is; None: it isn't counted by address."""
    deadline: float | None = None
    """By when the client has to go on; None: it is the gateway's turn, or a WebSocket, which has pings."""
    is_asking: bool = True
    """Whether the client has begun to ask for something."""

    def expect(self, within_s: float, *, asking: bool = True) -> None:
        """Wait for the client, at most so long."""
        self.deadline, self.is_asking = monotonic() + within_s, asking

    def serve(self) -> None:
        """Wait for the client no more: it said what it wants."""
        self.deadline = None

    def end(self, word: bytes = b"") -> None:
        """Close it, with a last word if that can be sent at once; who waits for it goes on."""
        with contextlib.suppress(OSError):
            self.socket.fd.send(word)
        greenio.shutdown_safe(self.socket)


class Door:
    """A listener whose ``accept`` returns those who may come in; hub thread only.

    Parameters
    ----------
    listener
        Where they come from.
    most, most_per_address
        Connections that may be open. Past it the client that has kept the gateway waiting the longest has to go;
        if none does, the newcomer.
    whose
        Tells from a peer's host whose connection it is; None: anybody's.
    """

    def __init__(self, listener: Any, most: int, most_per_address: int, whose: Callable[[str], str | None]) -> None:
        self.turnstile = Turnstile()
        """For requests, of all connections together."""
        self._listener = listener
        self.bound(most, most_per_address)
        self._whose = whose
        self._open: dict[Any, Connection] = {}
        self._rate = Allowance(_A_SECOND, _AT_ONCE)

    def bound(self, most: int, most_per_address: int) -> None:
        """Let so many in from now on; those that are open stay."""
        self._most, self._most_per_address = most, most_per_address

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)

    def __len__(self) -> int:
        return len(self._open)

    def accept(self) -> tuple[Any, Any]:
        """Wait for the next one who may come in."""
        while True:
            sleep(max(self._rate.pause_s(), _BREATH_S))
            socket, peer = self._accept()
            self._rate.spend(1.0)
            self.turnstile.spend(_COMES_S)
            connection = Connection(socket, self._whose(peer[0]))
            if self._has_room(connection.address):
                connection.expect(REQUEST_S, asking=False)
                self._open[peer] = connection
                return socket, peer
            connection.end(_FULL)
            socket.close()

    def _accept(self) -> tuple[Any, Any]:
        while True:
            try:
                accepted: tuple[Any, Any] = self._listener.accept()
            except OSError as error:
                if error.errno not in _PASSING:
                    raise
                log.debug("a connection can't be taken: %s", error)
                self._make_room(None)
                sleep(0.1)
            else:
                return accepted

    def _has_room(self, address: str | None) -> bool:
        if address is not None and self._count(address) >= self._most_per_address:
            return self._make_room(address)
        return len(self._open) < self._most or self._make_room(None)

    def _count(self, address: str) -> int:
        return sum(connection.address == address for connection in self._open.values())

    def _make_room(self, address: str | None) -> bool:
        """End one that keeps the gateway waiting, of ``address`` or of all; return whether there was one."""
        waiting = [
            (connection.deadline, peer)
            for peer, connection in self._open.items()
            if connection.deadline is not None and address in (None, connection.address)
        ]
        if waiting:
            self._open.pop(min(waiting)[1]).end()
        return bool(waiting)

    def connection(self, peer: Any) -> Connection:
        """Return what is known of a connection that was accepted."""
        return self._open.get(peer) or Connection(None, None)

    def leave(self, peer: Any) -> None:
        """Forget a connection."""
        self._open.pop(peer, None)

    def run(self, chores: Chores) -> None:
        """Hold all to their time, whatever may fail once, until killed; a green thread's body."""
        while True:
            sleep(_SWEEP_S)
            chores.do("time limit of requests", self.sweep)

    def sweep(self) -> None:
        """End those whose time is over."""
        for connection in list(self._open.values()):
            if connection.deadline is not None and connection.deadline < monotonic():
                connection.serve()  # first: what fails for one is not tried again in front of the others
                connection.end(_TOO_SLOW if connection.is_asking else b"")
                sleep()  # many may have come at once
