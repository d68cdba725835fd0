"""Sensors that know which of their messages the broker has promised to keep.

A client library sends a message again after a connection broke before its PUBACK. To the broker, which
has no memory of it, that is another message, so it would rightly be stored twice, and nothing could be
said about "once". Here each number is on the wire in exactly one PUBLISH, ever: what has no PUBACK when
the connection breaks is left alone, and the next number follows. So in the end:

* a number with a PUBACK must be there exactly once;
* a number without one may be there once, or not;
* and nothing else may be there.

The broker itself must not be killed with -9: Mosquitto writes its sessions when it ends in order, and
forgets with a kill what it has promised.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Self

from tests.support.fake_broker import packet
from tests.support.ports import LOOPBACK

_CONNECT = packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
"""MQTT 3.1.1, clean session, keep-alive 60 s, a client id of the broker's choosing."""
_DISCONNECT = b"\xe0\x00"
_MOST_OPEN = 500
_TICK_S = 0.01
_LAST_PUBACKS_S = 5.0


class Publisher:
    """Publishes ``message(number)`` for 1, 2, 3 … with QoS 1 at a steady rate; a context manager.

    Parameters
    ----------
    port
        The broker's, reached without detours.
    rate
        Messages a second, as long as the broker is there.
    message
        Makes topic and payload of a number; called once a number.
    """

    def __init__(self, port: int, rate: float, message: Callable[[int], tuple[str, bytes]]) -> None:
        self.acknowledged: set[int] = set()
        self.sent = 0
        """The last number that was on the wire."""
        self.connections = 0
        self._port, self._rate, self._message = port, rate, message
        self._open: dict[int, int] = {}
        self._received = bytearray()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more, and wait a moment for what the broker has still to acknowledge."""
        self._stop.set()
        self._thread.join(3 * _LAST_PUBACKS_S)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._open.clear()
            self._received.clear()
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self._port), timeout=5.0) as stream:
                self._connect(stream)
                self._publish(stream)
                self._await_the_last(stream)
                stream.sendall(_DISCONNECT)
            self._stop.wait(5 * _TICK_S)

    def _connect(self, stream: socket.socket) -> None:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.sendall(_CONNECT)
        answer = stream.recv(4, socket.MSG_WAITALL)
        if answer != b"\x20\x02\x00\x00":
            raise ConnectionError(answer)
        self.connections += 1

    def _publish(self, stream: socket.socket) -> None:
        begin, first = time.monotonic(), self.sent
        while not self._stop.is_set():
            due = first + int((time.monotonic() - begin) * self._rate)
            stream.sendall(
                b"".join(self._next_packet() for _ in range(min(due - self.sent, _MOST_OPEN - len(self._open))))
            )
            self._take_pubacks(stream, _TICK_S)

    def _await_the_last(self, stream: socket.socket) -> None:
        deadline = time.monotonic() + _LAST_PUBACKS_S
        while self._open and time.monotonic() < deadline:
            self._take_pubacks(stream, _TICK_S)

    def _next_packet(self) -> bytes:
        self.sent += 1
        topic, payload = self._message(self.sent)
        mid = self.sent % 65535 + 1
        self._open[mid] = self.sent
        name = topic.encode()
        return packet(0x32, len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + payload)

    def _take_pubacks(self, stream: socket.socket, patience_s: float) -> None:
        if not select.select([stream], [], [], patience_s)[0]:
            return
        data = stream.recv(65536)
        if not data:
            raise ConnectionError("the broker hung up")
        self._received += data
        while len(self._received) >= 4:
            assert self._received[:2] == b"\x40\x02", bytes(self._received[:4])
            self.acknowledged.add(self._open.pop(int.from_bytes(self._received[2:4], "big")))
            del self._received[:4]
