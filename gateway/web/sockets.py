"""The Socket.IO server, and what live and overview need of it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from math import inf
from typing import Any

import engineio.base_socket
import engineio.payload
import engineio.socket
import orjson
from flask import Flask
from flask_socketio import SocketIO
from socketio.packet import EVENT

from gateway.live import Event, Traffic
from gateway.runtime import monotonic
from gateway.web.broadcast import ask, broadcast, deliver, waiting
from gateway.web.gathering import Gathering
from gateway.web.inbound import Inbound
from gateway.web.outbox import Outbox
from gateway.web.session import Session
from gateway.web.upgrade import Upgrade

NAMESPACE = "/telemetry"

PING_INTERVAL_S = 10
PING_TIMEOUT_S = 10
_MOST_PACKETS_A_POST = 1024
"""The official client polls first: a page that joins many devices at once sends them in one POST."""
_MOST_INBOUND_BYTES = 64 * 1024
_MOST_WAITING_BYTES = 4 * 1024
"""Of readings, for a client that doesn't take them at once; what is in a queue can't be skipped any more."""


class Json:
    """The JSON that Socket.IO uses: orjson, which takes stored bytes as they are and knows no NaN."""

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        """Encode; python-socketio's wish for separators is orjson's habit anyway."""
        return orjson.dumps(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: object) -> Any:
        """Decode what a client sent."""
        return orjson.loads(text)


class _SteadyTime:
    """What engineio sees as the ``time`` module: it measures the silence of clients by the wall clock."""

    time = staticmethod(monotonic)


def create(app: Flask, allows_origin: Callable[[str | None, dict[str, Any]], bool]) -> SocketIO:
    """Return a server with both transports, whose handlers run one after another for each client."""
    engineio.payload.Payload.max_decode_packets = _MOST_PACKETS_A_POST
    # No public hook; a contract test pins it. Else a step of the clock would throw all viewers out.
    engineio.socket.time = engineio.base_socket.time = _SteadyTime
    engineio.socket.Socket = Session
    quiet = logging.getLogger("socketio")
    quiet.setLevel(logging.CRITICAL)  # it logs a traceback for each malformed packet of a stranger
    socketio = SocketIO(
        app,
        async_mode="eventlet",
        async_handlers=False,
        manage_session=False,
        json=Json,
        cors_allowed_origins=allows_origin,
        ping_interval=PING_INTERVAL_S,
        ping_timeout=PING_TIMEOUT_S,
        http_compression=False,  # as with WebSockets: a proxy's job
        max_http_buffer_size=_MOST_INBOUND_BYTES,
        logger=quiet,
        engineio_logger=quiet,
    )
    eio = socketio.server.eio
    inbound = Inbound(socketio.server)
    eio._async = {**eio._async, "queue": Outbox, "websocket": partial(Upgrade, inbound.frame, inbound.leave)}  # noqa: SLF001  no public hook; a contract test pins it
    return socketio


def device_room(device: str) -> str:
    """Return the room of a device."""
    return f"device:{device}"


class Sockets:
    """Implements ``live.Transport`` and ``overview.Room`` in a namespace; hub thread only."""

    def __init__(self, socketio: SocketIO, namespace: str = NAMESPACE) -> None:
        self._server = socketio.server
        self._namespace = namespace
        self._gathering: Gathering | None = None

    def clients(self) -> int:
        """Return how many are connected."""
        return len(self._server.manager.rooms.get(self._namespace, {}).get(None, ()))

    def sessions(self) -> int:
        """Return how many sessions there are, of all namespaces and of none."""
        return len(self._server.eio.sockets)

    def waiting_bytes(self) -> int:
        """Return what waits in this process for all of them together."""
        return sum(waiting(session) for session in self._server.eio.sockets.values())

    def members(self) -> list[str]:
        """Return who is connected."""
        return [viewer for viewer, _ in self._server.manager.get_participants(self._namespace, None)]

    def occupied(self, room: str | None) -> bool:
        """Tell whether anybody is in ``room``."""
        return room in self._server.manager.rooms.get(self._namespace, {})

    def announce(self, room: str | None, event: str, payload: object) -> None:
        """Send an event to all in ``room``; None: to everybody."""
        self._broadcast(room, event, payload, inf)

    def _broadcast(self, room: str | None, event: str, payload: object, most: float) -> list[str]:
        if not self.occupied(room):
            return []
        text = self._encode(event, payload)
        members = self._server.manager.get_participants(self._namespace, room)
        sessions = self._server.eio.sockets
        clients = [(sid, sessions[eio_sid]) for sid, eio_sid in members if eio_sid in sessions]
        return broadcast(clients, text, most, self._gathering)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write what is sent within this block to each client in few pieces; nothing in it waits."""
        self._gathering = Gathering(deliver)
        try:
            yield
        finally:
            gathering, self._gathering = self._gathering, None
            gathering.send()

    def _encode(self, event: str, payload: object) -> str:
        # As python-socketio does, in a sixth of the time.
        return f"{EVENT}{self._namespace},{Json.dumps([event, payload])}"

    def send(self, viewer: str, event: str, payload: object) -> None:
        """Send an event to one viewer; a viewer's own room has its name."""
        self.announce(viewer, event, payload)

    def send_all(self, viewer: str, events: Sequence[Event]) -> None:
        """Send events to one viewer, in one write if its socket takes it."""
        session = self._session(viewer)
        if session is not None:
            deliver(session, [self._encode(*event) for event in events])

    def send_room(self, room: str, event: str, payload: object) -> list[str]:
        """Send an event to a room of live's; return those for whom too much waits already."""
        return self._broadcast(device_room(room), event, payload, _MOST_WAITING_BYTES)

    def enter(self, viewer: str, room: str) -> None:
        """Put a viewer into a room of live's, if it is still connected."""
        if self._server.manager.is_connected(viewer, self._namespace):
            self._server.enter_room(viewer, device_room(room), namespace=self._namespace)

    def leave(self, viewer: str, room: str) -> None:
        """Take a viewer out of it."""
        self._server.leave_room(viewer, device_room(room), namespace=self._namespace)

    def ask(self, viewer: str) -> bool:
        """Ask a viewer to tell when it has come so far, which ``traffic`` knows; return whether that could be."""
        session = self._session(viewer)
        return session is not None and ask(session)

    def progress(self, viewer: str) -> tuple[int, int]:
        """Return the bytes handed to this viewer, and those that it has answered for."""
        session = self._session(viewer)
        if session is None:
            return 0, 0
        queue, socket = session.queue, session.websocket if session.upgraded else None
        if socket is None:
            return queue.passed + queue.unsent, queue.passed
        return socket.written + socket.waiting + queue.unsent, socket.credit.answered

    def traffic(self, viewer: str) -> Traffic:
        """Return what went to this viewer, in bytes; one that polls has taken what it polled."""
        session = self._session(viewer)
        if session is None:
            return Traffic()
        queue = session.queue
        if not session.upgraded:
            taken = queue.passed
            return Traffic(taken + queue.unsent, taken, taken, asked=True, way_s=session.way_s)
        socket = session.websocket
        handed = socket.written + socket.waiting + queue.unsent
        credit = socket.credit
        return Traffic(
            handed, socket.acknowledged(), credit.answered, credit.is_asked, credit.answered_at, credit.way_s
        )

    def _session(self, viewer: str) -> Any:
        return self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(viewer, self._namespace))

    def unsent(self, viewer: str) -> int:
        """Return the bytes that are on their way to this viewer's system, wherever they wait."""
        traffic = self.traffic(viewer)
        return traffic.handed - traffic.acknowledged

    def close_all(self) -> None:
        """Close every connection without waiting for its queue."""
        for socket in list(self._server.eio.sockets.values()):
            socket.close(wait=False)
