"""Engine.IO by polling, and HTTP in general, without a library: for what no browser does on purpose."""

import socket

PATH = "/socket.io/?EIO=4&transport=polling"


def connect(port, *, source=None, timeout_s=15.0):
    """Return a TCP connection, from the address ``source`` if given."""
    return socket.create_connection(
        ("127.0.0.1", port), timeout=timeout_s, source_address=(source, 0) if source else None
    )


def request(path, *, method="GET", headers="", body=None):
    """Return the bytes of a request; with a body, of its length."""
    length = f"Content-Length: {len(body)}\r\n" if body is not None else ""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}{length}\r\n".encode() + (body or b"")


def exchange(port, data, *, source=None, timeout_s=15.0):
    """Send bytes over a connection of their own; return all that comes until the other end closes."""
    received = b""
    with connect(port, source=source, timeout_s=timeout_s) as client:
        try:
            client.sendall(data)
            while part := client.recv(65536):
                received += part
        except ConnectionError:
            pass
    return received


class PollingClient:
    """A session that polls, a connection for each request."""

    def __init__(self, port, headers=""):
        self._port = port
        self._headers = f"Connection: close\r\n{headers}"
        self.opened = exchange(port, request(PATH, headers=self._headers))
        self.sid = self.opened.partition(b'"sid":"')[2].partition(b'"')[0].decode()

    @property
    def path(self):
        """The path of its requests."""
        return f"{PATH}&sid={self.sid}"

    def poll(self):
        """Return the whole answer to a poll."""
        return exchange(self._port, request(self.path, headers=self._headers), timeout_s=30.0)

    def post(self, *packets):
        """Send packets; return the whole answer."""
        body = b"\x1e".join(packets)
        return exchange(self._port, request(self.path, method="POST", headers=self._headers, body=body), timeout_s=30.0)

    def join(self, device):
        """Open a Socket.IO session and watch ``device``."""
        assert self.post(b"40/telemetry,").endswith(b"OK")
        assert self.post(b'42/telemetry,0["join",{"device":"%s"}]' % device.encode()).endswith(b"OK")
