"""One event to many clients: encoded once, framed once, written at once to each that takes it.

Through its queue a client costs about 50 µs a packet, and 5 µs when its socket takes a ready frame in
the turn of the hub that publishes (docs/traps.md, end). One whose socket doesn't take it gets it through
its queue, as far as ``most`` allows; it is the slow one, and ``live`` is told.
"""

import contextlib
from collections.abc import Collection, Iterable
from math import inf
from typing import Any

from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE, Packet

from gateway.web.frames import text_frame
from gateway.web.gathering import Gathering

_MESSAGE = str(MESSAGE)
"""How Engine.IO begins what carries a packet of Socket.IO."""
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
        Bytes that may wait for a client already, if its socket doesn't take this packet. Where there is a bound, there
        is one on what is on its way to the client, too: its connection's ``credit``.
    gathering
        What waits for the end of this turn; where there are few clients, for whom nothing else waits, this does too.

    Returns
    -------
    list[str]
        The names of those to whom it wasn't sent, as more waits.
    """
    if gathering is not None and len(clients) <= _FEW_CLIENTS:
        clients = [client for client in clients if not _gather(client[1], text, most, gathering)]
    if not clients:
        return []
    frame = _frame(text)
    late = [client for client in clients if not (_is_idle(client[1]) and client[1].websocket.write_within(frame))]
    return [name for name, session in late if not _offer(session, text, most)]


def _gather(session: Any, text: str, most: float, gathering: Gathering) -> bool:
    """Let a packet wait for the end of this turn, behind others or alone; return whether it does."""
    if not (session in gathering or (_is_idle(session) and not waiting(session))):
        return False
    if most < inf and not session.websocket.has_credit(gathering.size(session) + len(text)):
        gathering.send_to(session)
        return False
    gathering.add(session, text)
    return True


def _offer(session: Any, text: str, most: float) -> bool:
    """Queue a packet where no more than ``most`` waits, and it may be under way; return whether it was so."""
    if waiting(session) > most:
        return False
    if most < inf and session.upgraded and not session.websocket.has_credit(len(text)):
        return False
    _queue(session, text)
    return True


def deliver(session: Any, texts: Iterable[str]) -> None:
    """Send Socket.IO packets to one client, in one write where its socket takes it."""
    texts = list(texts)
    if not (_is_idle(session) and session.websocket.write_now(b"".join(map(_frame, texts)))):
        for text in texts:
            _queue(session, text)


def _frame(text: str) -> bytes:
    """Return what a client gets that isn't sent a packet of engineio's, but what is in it."""
    return text_frame(_MESSAGE + text)


def ask(session: Any) -> bool:
    """Ask a client to tell when it has come so far, if nothing waits for it that would come later."""
    return _is_idle(session) and session.websocket.ping_now()


def waiting(session: Any) -> int:
    """Return the bytes that wait for a client in this process."""
    in_socket = session.websocket.waiting if session.upgraded else 0
    return int(session.queue.unsent + in_socket)


def _is_idle(session: Any) -> bool:
    """Tell whether nothing waits for this client that must come first."""
    return session.upgraded and not (session.queue.queue or session.closed)


def _queue(session: Any, text: str) -> None:
    if waiting(session) > _MOST_WAITING_BYTES:
        drop(session)
        return
    with contextlib.suppress(SocketIsClosedError):  # it left in this very turn
        session.send(Packet(MESSAGE, data=text))


def drop(session: Any) -> None:
    """End a session at once, with what waits for it."""
    session.queue.clear()
    session.close(wait=False, abort=True)
    if session.upgraded:
        session.websocket.cut()
