"""What goes to one client from many rooms in one turn of the hub, in few writes.

A viewer of fifty devices is in fifty rooms. A write to its socket takes 10 to 30 µs, most of them the
system's, however much is in it: for such a viewer that was a third of all that a commit cost.

Nagle's algorithm does the like for writes of several turns, at the price of the other end's delay in
acknowledging. What is gathered has its company, so it goes at once.
"""

import socket
from contextlib import suppress
from typing import Any

MOST_BYTES = 8 * 1024
"""Of payload in one write: what a client's system doesn't take waits, and can't be skipped any more."""


class Gathering:
    """Packets of this turn, by client; who makes one sends it in the same turn.

    Parameters
    ----------
    send
        Called with an engineio session and Socket.IO packets for it, in order.
    """

    def __init__(self, send: Any) -> None:
        self._send = send
        self._packets: dict[Any, list[str]] = {}
        self._sizes: dict[Any, int] = {}

    def __contains__(self, session: object) -> bool:
        return session in self._packets

    def size(self, session: object) -> int:
        """Return the bytes gathered for ``session``."""
        return self._sizes.get(session, 0)

    def add(self, session: Any, packet: str) -> None:
        """Take a packet for ``session``, which nothing else waits for."""
        self._packets.setdefault(session, []).append(packet)
        size = self._sizes[session] = self._sizes.get(session, 0) + len(packet)
        if size > MOST_BYTES:
            self.send_to(session)

    def send(self) -> None:
        """Send what is left."""
        for session in list(self._packets):
            self.send_to(session)

    def send_to(self, session: Any) -> None:
        """Send what was gathered for ``session``."""
        if session not in self._packets:
            return
        del self._sizes[session]
        with suppress(OSError):  # it is closed
            session.websocket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._send(session, self._packets.pop(session))
