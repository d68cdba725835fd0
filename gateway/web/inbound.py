"""What browsers send, on either transport: no faster than it is handled, and no more than they take answers for."""

import logging
from collections.abc import Callable
from typing import Any

from gateway.runtime import cpu_time, monotonic, sleep
from gateway.web.broadcast import drop, waiting
from gateway.web.throttle import Allowance, Turnstile

log = logging.getLogger(__name__)

_SHARE, _BURST_S = 0.1, 0.5
"""Of the hub's CPU time, for one client: a page that joins a thousand devices at once is inside."""
_FRAME_S = 30e-6
"""What a frame costs before anybody looks into it."""
_AFTERWARDS_S = 100e-6
"""What a message costs about when it is handled: its answer is written, and who joined catches up."""
_END_S = 0.2e-3
"""What the end of a session costs about."""
_MOST_UNREAD_BYTES = 64 * 1024
_MOST_UNREAD_PACKETS = 512
"""Answers that wait for a client; one that doesn't take them is asked nothing more."""
_LOOK_S = 0.02
_PATIENCE_S = 20.0
_CONNECT = "0"
_BINARY = ("5", "6")
"""Packet types of Socket.IO; a binary event or acknowledgement announces attachments, which would be kept."""


class Inbound:
    """Stands before the handlers of events; hub thread only.

    Parameters
    ----------
    server
        Of Socket.IO. Its handler of Engine.IO's messages is replaced, through engineio's own ``on``.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self._handle: Callable[[str, Any], object] = server.eio.handlers["message"]
        self._turnstile = Turnstile()
        server.eio.on("message", self._message)

    def frame(self, session: Any) -> None:
        """Wait until another frame may be read from this client, and account for it; not for one that was dropped."""
        if session.closed:
            return
        self._spend(session, _FRAME_S)
        self._admit(session)
        _wait_for_ears(session, _has_many_packets)

    def leave(self) -> None:
        """Wait for a time to go: when many connections end at once, their sessions end one after another."""
        self._turnstile.enter()
        self._turnstile.spend(_END_S)

    def _message(self, sid: str, data: str | bytes) -> None:
        session = self._server.eio.sockets.get(sid)
        if session is None or session.closed:
            return
        if self._is_refused(sid, data):
            drop(session)
            return
        self._admit(session)
        _wait_for_ears(session, _has_much)
        began = cpu_time()
        try:
            self._handle(sid, data)
        except Exception as error:  # noqa: BLE001  whatever it is, the packet was no packet
            log.debug("a client sent what is no packet: %s", error)
            drop(session)
        finally:
            self._spend(session, cpu_time() - began)
            self._turnstile.spend(_AFTERWARDS_S)

    def _is_refused(self, sid: str, data: str | bytes) -> bool:
        """Tell whether it is binary, or connects to a namespace a second time, which would leave the first."""
        if isinstance(data, bytes) or data.startswith(_BINARY):
            return True
        return data.startswith(_CONNECT) and self._is_connected(sid, data[1:])

    def _is_connected(self, sid: str, rest: str) -> bool:
        namespace = rest.partition(",")[0].partition("?")[0] if rest.startswith("/") else "/"
        return self._server.manager.sid_from_eio_sid(sid, namespace) is not None

    def _spend(self, session: Any, cpu_s: float) -> None:
        _allowance(session).spend(cpu_s)
        self._turnstile.spend(cpu_s)

    def _admit(self, session: Any) -> None:
        if (pause_s := _allowance(session).pause_s()) > 0.0:
            sleep(pause_s)
            _spare(session)
        self._turnstile.enter()


def _spare(session: Any) -> None:
    """Let engineio not take for silence that this client's answer to a ping waits behind what is read slowly."""
    if session.last_ping:
        session.last_ping = monotonic()


def _wait_for_ears(session: Any, is_deaf: Callable[[Any], bool]) -> None:
    """Wait until a client has taken enough of what is for it; drop it if it takes nothing at all."""
    taken, until = -1, 0.0
    while not _is_over(session) and is_deaf(session):
        if taken != (taken := _taken(session)):
            until = monotonic() + _PATIENCE_S
            _spare(session)
        elif monotonic() > until:
            drop(session)
        sleep(_LOOK_S)


def _is_over(session: Any) -> bool:
    """Tell whether it was ended, or its connection broke, which engineio finds out when it reads on."""
    return bool(session.closed or (session.upgraded and session.websocket.websocket_closed))


def _taken(session: Any) -> int:
    return int(session.queue.passed + (session.websocket.written if session.upgraded else 0))


def _has_many_packets(session: Any) -> bool:
    return bool(session.queue.qsize() > _MOST_UNREAD_PACKETS)


def _has_much(session: Any) -> bool:
    return waiting(session) > _MOST_UNREAD_BYTES or _has_many_packets(session)


def _allowance(session: Any) -> Allowance:
    if not hasattr(session, "allowance"):
        session.allowance = Allowance(_SHARE, _BURST_S)
    allowance: Allowance = session.allowance
    return allowance
