"""One event to many clients: encoded once, framed once, written at once to each that takes it.

Through its queue a client costs about 50 µs a packet, and 5 µs when its socket takes a ready frame in
the turn of the hub that publishes (docs/traps.md, end). One whose socket doesn't take it gets it through
its queue, as far as ``most`` allows; it is the slow one, and ``live`` is told.
"""

import contextlib
from collections.abc import Collection, Iterable, Sequence
from math import inf
from typing import Any

from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE, Packet

from gateway.web.gathering import Gathering
from gateway.web.websocket import text_frame

_MOST_WAITING_BYTES = 512 * 1024
"""A client for which so much waits reads nothing: it is dropped, and may come again."""
_FEW_CLIENTS = 4
"""In larger rooms a client is seldom in another one too, and to gather for it would only be work."""


def broadcast(
    clients: Collection[tuple[str, Any]], text: str, most: float = inf, gathering: Gathering | None = None
) -> list[str]:
    """Send a Socket.IO packet.

    Parameters
    ----------
    clients
        Names and engineio sessions.
    text
        The packet, encoded.
    most
        Bytes that may wait for a client already, if its socket doesn't take this packet.
    gathering
        What waits for the end of this turn; where there are few clients, for whom nothing else waits, this does too.

    Returns
    -------
    list[str]
        The names of those to whom it wasn't sent, as more waits.
    """
    frame = None
    packet = Packet(MESSAGE, data=text)
    refused = []
    gathered = gathering if len(clients) <= _FEW_CLIENTS else None
    for name, session in clients:
        if gathered is not None and (session in gathered or (_is_idle(session) and not waiting(session))):
            gathered.add(session, packet)
            continue
        if frame is None:
            frame = text_frame(packet.encode())
        if _is_idle(session) and session.websocket.write_now(frame):
            continue
        if waiting(session) > most:
            refused.append(name)
        else:
            _queue(session, packet)
    return refused


def deliver(session: Any, texts: Iterable[str]) -> None:
    """Send Socket.IO packets to one client, in one write where its socket takes it."""
    deliver_packets(session, [Packet(MESSAGE, data=text) for text in texts])


def deliver_packets(session: Any, packets: Sequence[Packet]) -> None:
    """Send packets to one client, in one write where its socket takes it."""
    frames = b"".join([text_frame(packet.encode()) for packet in packets])
    if not (_is_idle(session) and session.websocket.write_now(frames)):
        for packet in packets:
            _queue(session, packet)


def ask(session: Any) -> bool:
    """Ask a client to tell when it has come so far, if nothing waits for it that would come later."""
    return _is_idle(session) and session.websocket.ping_now()


def waiting(session: Any) -> int:
    """Return the bytes that wait for a client in this process."""
    in_socket = session.websocket.waiting if session.upgraded else 0
    return int(session.queue.unsent + in_socket)


def _is_idle(session: Any) -> bool:
    """Tell whether nothing waits for this client that must come first."""
    return bool(session.upgraded and not session.upgrading and not session.closed and session.queue.empty())


def _queue(session: Any, packet: Packet) -> None:
    if waiting(session) > _MOST_WAITING_BYTES:
        drop(session)
        return
    with contextlib.suppress(SocketIsClosedError):  # it left in this very turn
        session.send(packet)


def drop(session: Any) -> None:
    """End a session at once, with what waits for it."""
    session.queue.clear()
    session.close(wait=False, abort=True)
    if session.upgraded:
        session.websocket.cut()
