"""One event to many clients: encoded once, framed once, written at once to each that takes it.

Through its queue a client costs about 50 µs a packet, and 5 µs when its socket takes a ready frame in
the turn of the hub that publishes (docs/traps.md, end). One whose socket doesn't take it gets it through
its queue, and is the slow one of whom ``live`` hears by ``unsent``.
"""

import contextlib
from collections.abc import Iterable
from typing import Any

from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE, Packet

from gateway.web.websocket import text_frame


def broadcast(sessions: Iterable[Any], text: str) -> None:
    """Send a Socket.IO packet to engineio sessions."""
    frame = None
    packet = Packet(MESSAGE, data=text)
    for session in sessions:
        if frame is None:
            frame = text_frame(packet.encode())
        if not (_is_idle(session) and session.websocket.write_now(frame)):
            _queue(session, packet)


def _is_idle(session: Any) -> bool:
    """Tell whether nothing waits for this client that must come first."""
    return bool(session.upgraded and not session.upgrading and not session.closed and session.queue.empty())


def _queue(session: Any, packet: Packet) -> None:
    with contextlib.suppress(SocketIsClosedError):  # it left in this very turn
        session.send(packet)
