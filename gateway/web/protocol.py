"""HTTP as eventlet speaks it, without what it tells strangers, and with an end to waiting for them."""

import contextlib
from http import HTTPStatus
from typing import Any

from eventlet.wsgi import HttpProtocol, Input

from gateway.runtime import sleep
from gateway.web.door import REQUEST_S, Connection, Door
from gateway.web.throttle import Allowance

CONNECTION = "gateway.connection"
"""Where a request's environ has its connection."""
MOST_BODY_BYTES = 64 * 1024
_BODY_S = 20.0
_IDLE_S = 30.0
_A_SECOND, _AT_ONCE = 100.0, 300.0
"""Requests of one connection."""
_REQUEST_S, _END_S = 1e-3, 0.1e-3
"""CPU time that a request costs about, and the end of a connection."""


class _Body(Input):  # type: ignore[misc]  # eventlet has no types
    """A request's body; whole, or not at all."""

    def __init__(self, plain: Input, connection: Connection) -> None:
        super().__init__(plain.rfile, plain.content_length, plain._sock, plain.wfile, plain.wfile_line)  # noqa: SLF001  eventlet's own has no other way
        self._connection = connection

    def read(self, length: int | None = None) -> bytes:
        left = self.content_length - self.position
        self._connection.expect(_BODY_S)
        try:
            data: bytes = super().read(length)
        finally:
            self._connection.serve()
        if len(data) < (left if length is None else min(left, length)):
            raise ConnectionError("the body ended before its end")
        return data


class Protocol(HttpProtocol):  # type: ignore[misc]  # eventlet has no types
    """Serves one connection: refuses what no browser sends, in as few words as can be, and logs none of it."""

    rbufsize = wbufsize = 4096  # eventlet's own 16 KiB are kept for as long as a WebSocket lasts

    def __init__(self, door: Door, conn_state: list[Any], server: Any) -> None:
        self._visit = door.connection(conn_state[0])
        self._turnstile = door.turnstile
        self._requests = Allowance(_A_SECOND, _AT_ONCE)
        self._is_first = True
        try:
            with contextlib.suppress(ConnectionError):
                super().__init__(conn_state, server)
        finally:
            door.leave(conn_state[0])
            self.__dict__.clear()  # a cycle by way of the environ, else: a thousand are a long search for garbage

    def _read_request_line(self) -> Any:
        sleep(self._requests.pause_s())  # others run between any two, also if all have been sent at once
        self._requests.spend(1.0)
        if not self._is_first:
            self._visit.expect(_IDLE_S, asking=False)
            if not self.rfile.peek(1):
                self._turnstile.enter()  # many may end at once
                self._turnstile.spend(_END_S)
                return b""
            self._visit.expect(REQUEST_S)
        self._is_first = False
        return super()._read_request_line()

    def handle_one_request(self) -> None:
        """Serve one; what it said isn't kept while its connection is idle."""
        super().handle_one_request()
        for said in ("environ", "headers"):
            self.__dict__.pop(said, None)

    def parse_request(self) -> bool:
        """Read the headers; answer what can't be served here."""
        if not super().parse_request():
            return False
        self._visit.serve()
        refusal = self._refusal()
        if refusal:
            self.send_error(refusal)
            return False
        self._turnstile.enter()
        self._turnstile.spend(_REQUEST_S)
        return True

    def _refusal(self) -> HTTPStatus | None:
        lengths = self.headers.get_all("content-length", [])
        if self.request_version == "HTTP/0.9" or len(lengths) > 1 or not all(map(_is_number, lengths)):
            return HTTPStatus.BAD_REQUEST
        if "transfer-encoding" in self.headers:
            return HTTPStatus.LENGTH_REQUIRED
        if lengths and int(lengths[0]) > MOST_BODY_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return None

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002  as in the standard library
        """Refuse, without the version of anything, and end."""
        self.close_connection = True
        status = HTTPStatus(code)
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        self.wfile.write(head.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing: strangers write no log."""

    def get_environ(self) -> dict[str, Any]:
        """Return the environ of WSGI."""
        environ: dict[str, Any] = super().get_environ()
        environ[CONNECTION] = self._visit
        environ["wsgi.input"] = environ["eventlet.input"] = _Body(environ["eventlet.input"], self._visit)
        return environ


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20
