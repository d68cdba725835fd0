"""Bounds on Socket.IO sessions: each takes memory before anybody has said who it is."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

from gateway.chores import Chores
from gateway.runtime import Event, monotonic, sleep
from gateway.web.addresses import Addresses
from gateway.web.broadcast import drop
from gateway.web.guard import Environ, WsgiApp
from gateway.web.handshake import flaw

_CONNECT_S = 10.0
"""A session that is in no namespace for so long wants nothing."""
_LOOK_S = 1.0
_MOST_PACKETS = 4096
"""Of no content, as a client can ask for; those with content are bounded by their bytes."""
_PATH = "/socket.io/"


class _Answer(list[bytes]):
    """A body, and what is to be done when it is out, or can't be sent."""

    def __init__(self, parts: Iterable[bytes], done: Callable[[], None]) -> None:
        super().__init__(parts)
        self.close = done


class Crowd:
    """WSGI middleware in front of Socket.IO; those who are in go on. Hub thread only.

    Parameters
    ----------
    app
        What answers.
    server
        Socket.IO's.
    most, most_per_address
        Sessions. Past it the oldest that is in no namespace has to go; if there is none, the newcomer.
    addresses
        Tells clients apart.
    """

    def __init__(self, app: WsgiApp, server: Any, most: int, most_per_address: int, addresses: Addresses) -> None:
        self._app = app
        self._server = server
        self.bound(most, most_per_address)
        self._addresses = addresses
        self._greet: Callable[[str, Environ], object] = server.eio.handlers["connect"]
        server.eio.on("connect", self._connected)

    def bound(self, most: int, most_per_address: int) -> None:
        """Take so many from now on; who is in stays, also where that are more."""
        self._most, self._most_per_address = most, most_per_address

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, or ask a newcomer to come later."""
        if not environ.get("PATH_INFO", "").startswith(_PATH):
            return self._app(environ, start_response)
        if wrong := flaw(environ):
            return _refuse(start_response, *wrong)
        name = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [None])[0]
        if name is None:
            return self._admit(environ, start_response)
        session = self._server.eio.sockets.get(name)
        if session is not None and session.closed:  # Engine.IO would raise where it answers who never was here
            del self._server.eio.sockets[name]
            session = None
        if session is not None and _is_poll(environ):
            return self._poll(session, environ, start_response)
        if session is not None and session.queue.qsize() > _MOST_PACKETS:
            drop(session)
        return self._app(environ, start_response)

    def _poll(self, session: Any, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one poll of a client at a time: each takes out of the queue what waits in it."""
        if getattr(session, "polling", False):
            drop(session)
            return _refuse(start_response, "400 Bad Request", "the answer to an earlier poll wasn't read yet")
        session.polling = True
        session.begin_poll()

        def done() -> None:
            session.polling = False
            session.end_poll()

        try:
            return _Answer(self._app(environ, start_response), done)
        except BaseException:
            done()
            raise

    def _admit(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        address = self._addresses.of_request(environ)
        if address is not None and not self._has_room(self._of(address), self._most_per_address):
            reason = f"{self._most_per_address} viewers are connected from {address}, the most of one address"
            return _refuse(start_response, "429 Too Many Requests", reason)
        if not self._has_room(self._sessions(), self._most):
            reason = f"{self._most} viewers are connected, the most that this gateway takes; try again later"
            return _refuse(start_response, "503 Service Unavailable", reason)
        return self._app(environ, start_response)

    def _has_room(self, sessions: Iterable[Any], most: int) -> bool:
        inside = list(sessions)
        if len(inside) < most:
            return True
        oldest = next((session for session in inside if not self._is_anywhere(session)), None)
        if oldest is not None:
            self._end(oldest)
        return oldest is not None

    def _sessions(self) -> Iterator[Any]:
        """Yield who is there, the oldest first."""
        return (session for session in list(self._server.eio.sockets.values()) if not session.closed)

    def _of(self, address: str) -> Iterator[Any]:
        return (session for session in self._sessions() if getattr(session, "address", None) == address)

    def _is_anywhere(self, session: Any) -> bool:
        manager = self._server.manager
        return any(manager.sid_from_eio_sid(session.sid, namespace) for namespace in manager.get_namespaces())

    def _connected(self, name: str, environ: Environ) -> object:
        session = self._server.eio.sockets[name]
        session.address, session.alone_since = self._addresses.of_request(environ), monotonic()
        return self._greet(name, environ)

    def run(self, stop: Event, chores: Chores) -> None:
        """Look after newcomers until ``stop``, whatever may fail once; a green thread's body."""
        while not stop.wait(_LOOK_S):
            chores.do("time limit of newcomers", self.look)

    def look(self) -> None:
        """End those that are in no namespace for too long."""
        now = monotonic()
        for session in self._sessions():
            if self._is_anywhere(session):
                session.alone_since = now
            elif now - getattr(session, "alone_since", now) > _CONNECT_S:
                self._end(session)
                sleep()  # many may have come at once

    def _end(self, session: Any) -> None:
        self._server.eio.sockets.pop(session.sid, None)  # first: what fails for one is not tried again
        drop(session)


def _is_poll(environ: Environ) -> bool:
    return environ.get("REQUEST_METHOD") == "GET" and "HTTP_UPGRADE" not in environ


def _refuse(start_response: Callable[..., Any], status: str, reason: str) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "10")]
    if status.startswith("426"):
        headers.append(("Sec-WebSocket-Version", "13"))
    start_response(status, headers)
    return [f"{reason}\n".encode()]
