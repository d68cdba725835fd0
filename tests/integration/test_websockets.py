"""The WebSocket as strangers use it: raw frames at the real daemon."""

import base64
import os
import socket
import struct
import threading

import pytest

from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.viewers import Viewer

PATH = "/socket.io/?EIO=4&transport=websocket"
TEXT, BINARY, CLOSE = 0x1, 0x2, 0x8


class RawClient:
    """A WebSocket that does what it is told, also what it shouldn't."""

    def __init__(self, port, headers=""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=15.0)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n".encode()
        )
        self.answer = b""
        while b"\r\n\r\n" not in self.answer:
            self.answer += self.socket.recv(1)
        self.received = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, payload, *, opcode=TEXT, final=True):
        size, mask = len(payload), os.urandom(4)
        head = bytes([opcode | (0x80 if final else 0)])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 1 << 16:
            head += b"\xfe" + struct.pack("!H", size)
        else:
            head += b"\xff" + struct.pack("!Q", size)
        pattern = mask * (size // 4 + 1)
        masked = bytes(a ^ b for a, b in zip(payload, pattern, strict=False)) if size < 1 << 17 else payload
        self.socket.sendall(head + mask + masked)

    def frame(self):
        """Return opcode and payload of the next frame; None at the end of the stream."""
        head = self._take(2)
        if head is None:
            return None
        size = head[1] & 127
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        return head[0] & 15, self._take(size)

    def join(self, device):
        """Open a Socket.IO session and watch ``device``."""
        assert self.frame()[1].startswith(b"0{")
        self.send(b"40/telemetry,")
        assert self.frame()[1].startswith(b"40/telemetry")
        self.send(b'42/telemetry,0["join",{"device":"%s"}]' % device.encode())

    def close_code(self):
        """Read on until the server closes; return its code, or None if it just left."""
        try:
            while (frame := self.frame()) is not None:
                if frame[0] == CLOSE:
                    return int.from_bytes(frame[1][:2], "big")
        except ConnectionError:
            pass
        return None

    def _take(self, size):
        while len(self.received) < size:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.received += data
        part = bytes(self.received[:size])
        del self.received[:size]
        return part


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sockets")
    with Mosquitto(folder / "broker") as broker, Daemon(folder, mqtt(broker.port)) as daemon:
        daemon.wait_up("broker")
        yield broker, daemon


def sessions_end(daemon):
    wait_until(lambda: daemon.get("/api/v1/status")["clients"] == 0, "no session is left", timeout_s=30.0)


def test_compression_is_not_negotiated(running):
    _, daemon = running
    with RawClient(daemon.port, "Sec-WebSocket-Extensions: permessage-deflate\r\n") as client:
        assert b"101" in client.answer
        assert b"deflate" not in client.answer.lower()


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(b"x" * 70_000, TEXT, True)], 1009),
        ([(b"x" * 1_000_000, TEXT, True)], 1009),
        ([(b"4" + b"x" * 20_000, TEXT, False), *[(b"x" * 20_000, 0, False)] * 5], 1009),
        ([(b"x", BINARY, True)], 1003),
        ([(b"\xff\xfe", TEXT, True)], None),
    ],
    ids=["a long frame", "a megabyte", "fragments without end", "binary", "no UTF-8"],
)
def test_what_is_too_much_or_no_text_ends_the_connection(running, frames, code):
    _, daemon = running
    with RawClient(daemon.port) as client:
        client.join("kitchen")
        try:
            for payload, opcode, final in frames:
                client.send(payload, opcode=opcode, final=final)
        except ConnectionError:
            pass  # it closed before all was sent
        got = client.close_code()
        assert code is None or got in {code, None}
    sessions_end(daemon)


@pytest.mark.parametrize("payload", [b"x", b"9", b"", b"4", b"42/telemetry", b"42/telemetry,{", b"451-/telemetry,[]"])
def test_what_is_no_packet_leaves_no_session_and_no_traceback(running, payload):
    _, daemon = running
    with RawClient(daemon.port) as client:
        client.join("kitchen")
        client.send(payload)
        client.send(b"41/telemetry,")
    sessions_end(daemon)
    assert "Traceback" not in daemon.log


def test_a_browser_that_stops_reading_costs_little_and_disturbs_nobody(running):
    broker, daemon = running
    stop = threading.Event()
    payload = b'{"n": 1, "text": "%s"}' % (b"x" * 250)

    def publish():
        while not stop.is_set():
            broker.publish_all([("sensors/kitchen", payload)] * 500)

    with Viewer(daemon.url) as good:
        good.wait_for("connect")
        good.ask("join", {"device": "kitchen", "backlog": 0})
        publishing = threading.Thread(target=publish)
        publishing.start()
        wait_until(lambda: daemon.ledger()["stored"] > 60_000, "caches are as large as they get", timeout_s=120.0)
        before = daemon.memory_bytes()
        stalled = [RawClient(daemon.port) for _ in range(10)]
        for client in stalled:
            client.join("kitchen")  # and never reads again
        start = daemon.ledger()["stored"]
        wait_until(lambda: daemon.ledger()["stored"] > start + 60_000, "20 MB went by", timeout_s=120.0)
        grown = daemon.memory_bytes() - before
        stop.set()
        publishing.join()
        newest = daemon.get("/api/v1/devices/kitchen")["last"]["seq"]
        seqs = good.wait_seq("kitchen", newest, timeout_s=60.0)
        for client in stalled:
            client.socket.close()
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert grown < 10 * 2**20, f"memory grew by {grown / 2**20:.1f} MiB"
    sessions_end(daemon)
