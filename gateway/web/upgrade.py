"""How a connection becomes a WebSocket, and whose session it is."""

import logging
import socket
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from engineio.async_drivers.eventlet import WebSocketWSGI

from gateway.web.door import Connection
from gateway.web.protocol import CONNECTION
from gateway.web.websocket import WebSocket, nothing

log = logging.getLogger(__name__)

_UPGRADE_S = 10.0
"""For a client that polled to make the WebSocket its transport."""
_MOST_NOT_SENT_BYTES = 4 * 1024
"""Of a connection, in the kernel, beside what is under way: what it has taken can't be skipped any more."""


class Upgrade(WebSocketWSGI):  # type: ignore[misc]  # engineio has no types
    """What engineio calls for each upgrade; the WebSocket is known to its session as ``websocket``."""

    def __init__(
        self,
        admit: Callable[[Any], None],
        leave: Callable[[], None],
        handler: Callable[[Any], Any],
        server: Any,
    ) -> None:
        super().__init__(handler, server)
        self._admit = admit
        self._leave = leave
        self.support_legacy_versions = False
        self._serve = handler
        self.handler = self._handle

    def _handle_hybi_request(self, environ: dict[str, Any]) -> WebSocket:
        plain = super()._handle_hybi_request(environ)
        return WebSocket(plain.socket, environ, plain.version, max_frame_length=self.max_frame_length)

    def _admit_frame(self, session: Any, visit: Connection) -> None:
        if session.upgraded and visit.deadline is not None:  # just now: what was polled until then is all it was sent
            visit.serve()
            session.websocket.begin(session.queue.passed)
        self._admit(session)

    def _handle(self, websocket: WebSocket) -> Iterable[bytes]:
        session = self._serve.__self__  # type: ignore[attr-defined]  # it is a method of the session
        session.websocket = websocket
        visit = websocket.environ[CONNECTION]
        visit.expect(_UPGRADE_S)
        websocket.admit, websocket.leave = partial(self._admit_frame, session, visit), self._leave
        session.queue.one_by_one = True
        websocket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MOST_NOT_SENT_BYTES)
        try:
            self._serve(websocket)
        except ValueError as error:
            log.debug("a client sent what is no packet: %s", error)
            session.close(wait=False, abort=True)
        finally:
            session.queue.one_by_one = session.upgraded
            websocket.close()
            websocket.admit = websocket.leave = nothing  # no cycles are left behind
            del self.handler, self._serve
        return []
