"""What answers like a daemon's control socket, with what a test wants it to say."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit


class ControlServer:
    """HTTP on a Unix socket, from its own thread; a context manager.

    Parameters
    ----------
    path
        Of the socket; short enough for one (107 bytes).
    answers
        The JSON value for each path: ``{"/status": {...}}``; any other path is not found.
    lines
        What ``/tail`` sends before it ends.
    """

    def __init__(self, path: Path, answers: dict[str, object], lines: tuple[bytes, ...] = ()) -> None:
        self.path = path
        self.answers = answers
        self.lines = lines
        self.devices: list[str] = []
        """Which devices the last ``/tail`` asked for."""
        self.hold = threading.Event()
        """Clear: ``/tail`` ends after its lines; set before: it stays open until ``let_go``."""
        self.let_go = threading.Event()
        self._server = _Server(str(path), _handler(self))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def stream(self, devices: list[str]) -> Iterator[bytes]:
        """Yield what ``/tail`` sends."""
        self.devices = devices
        yield from self.lines
        if self.hold.is_set():
            self.let_go.wait(30.0)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Waits for its threads when it is closed."""


def _handler(control: ControlServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            target = urlsplit(self.path)
            if target.path == "/tail":
                self._stream(parse_qs(target.query).get("device", []))
            elif target.path in control.answers:
                self._answer(json.dumps(control.answers[target.path]).encode())
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            self.do_GET()

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, devices: list[str]) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for line in control.stream(devices):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.write(b"0\r\n\r\n")

        def address_string(self) -> str:
            return "unix"  # a Unix client has no address

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    return Handler
