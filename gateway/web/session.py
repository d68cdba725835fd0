"""A client of Engine.IO, as long as it lasts, and no longer."""

from typing import Any

import engineio.socket
import eventlet.hubs
from engineio.packet import PING, Packet

from gateway.runtime import monotonic

_TOGETHER_S = 0.1
"""Pings go at multiples of it: those of some clients in one turn of the hub cost half as much as a turn for each."""
_LITTLE_BYTES = 1024
"""So little is taken at once: all of the time until the next poll is the way's."""


class Session(engineio.socket.Socket):  # type: ignore[misc]  # engineio has no types
    """Waits for its next ping with a timer, where engineio has a green thread do that.

    A green thread takes some kilobytes of every viewer, and one that sleeps can't be called off: it kept each session
    that had ended for up to ten seconds more. Of strangers who come and go that were a thousand and more, which the
    garbage collector looked through again and again.
    """

    last_ping: Any
    way_s = 0.0
    """Of the time between its polls, what the way takes however little it is sent; as far as is known."""

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self._timer: Any = None
        self._polled_at: float | None = None
        self._polled = 0

    def begin_poll(self) -> None:
        """Note that it polls: it has what it was sent last."""
        if self._polled_at is not None:
            took_s = monotonic() - self._polled_at
            self.way_s = took_s if self._polled <= _LITTLE_BYTES else min(self.way_s, took_s)
        self._polled = -self.queue.passed

    def end_poll(self) -> None:
        """Note that the answer to its poll is on its way."""
        self._polled_at = monotonic()
        self._polled += self.queue.passed

    def schedule_ping(self) -> None:
        """Ask the client for a sign of life when it is time, unless it is being asked."""
        if self.last_ping and not self.closed:
            self.last_ping = None
            at = monotonic()
            due = (
                (at + self.server.ping_interval) // _TOGETHER_S * _TOGETHER_S
            )  # earlier: engineio counts from here, too
            self._timer = eventlet.hubs.get_hub().schedule_call_global(due - at, self._send_ping)

    def _send_ping(self) -> None:
        self._timer = None
        if not self.closing and not self.closed:
            self.last_ping = monotonic()
            self.send(Packet(PING))

    def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """End it."""
        super().close(wait=wait, abort=abort, reason=reason)
        if self.closed and self._timer is not None:
            self._timer.cancel()
            self._timer = None
