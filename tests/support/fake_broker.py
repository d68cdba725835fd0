"""A broker that misbehaves as told; just enough of MQTT for one client."""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Self

from tests.support.ports import LOOPBACK

CONNECT, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 0x10, 0x40, 0x80, 0xC0, 0xE0
ACCEPT_5, ACCEPT_311 = b"\x20\x03\x00\x00\x00", b"\x20\x02\x00\x00"
REFUSE_VERSION = b"\x20\x02\x00\x01"

Answer = Callable[[bytes], bytes]
"""Takes a packet's body, returns what to send."""


def suback(reason: int, *, version: int = 5) -> Answer:
    """Return what answers a SUBSCRIBE of one filter with ``reason``."""
    properties = b"\x00" if version == 5 else b""
    return lambda body: packet(0x90, body[:2] + properties + bytes([reason]))


def packet(header: int, body: bytes) -> bytes:
    """Return a packet."""
    length, rest = bytearray(), len(body)
    while not length or rest:
        length.append(rest % 128 | (128 if rest >= 128 else 0))
        rest //= 128
    return bytes([header, *length]) + body


def publish(topic: bytes, payload: bytes, *, mid: int = 0, dup: bool = False) -> bytes:
    """Return a PUBLISH of MQTT 5; with ``mid``, of QoS 1."""
    header = 0x30 | (0x02 if mid else 0) | (0x08 if dup else 0)
    identifier = mid.to_bytes(2, "big") if mid else b""
    return packet(header, len(topic).to_bytes(2, "big") + topic + identifier + b"\x00" + payload)


class FakeBroker:
    """Answers each kind of packet with prepared bytes; a context manager.

    Parameters
    ----------
    answers
        By kind of packet; a kind without is not answered. The packets of each connection are kept.
    """

    def __init__(self, answers: Mapping[int, Answer]) -> None:
        self.received: list[tuple[int, bytes]] = []
        self._answers = answers
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._acceptor.join()
        self._listener.close()
        for each in self._connections:
            with contextlib.suppress(OSError):  # it hung up
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def send(self, data: bytes) -> None:
        """Send to the newest client."""
        self._connections[-1].sendall(data)

    def hang_up(self) -> None:
        """End the newest connection."""
        self._connections[-1].shutdown(socket.SHUT_RDWR)

    def count(self, kind: int) -> int:
        """Return how many packets of a kind have come."""
        return sum(each == kind for each, _ in self.received)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection.makefile("rb") as stream:
            while header := stream.read(1):
                body = stream.read(_length(stream.read))
                kind = header[0] & 0xF0
                self.received.append((kind, body))
                if kind in self._answers:
                    connection.sendall(self._answers[kind](body))


def _length(read: Callable[[int], bytes]) -> int:
    length, shift = 0, 0
    while True:
        (byte,) = read(1)
        length |= (byte & 127) << shift
        if byte < 128:
            return length
        shift += 7
