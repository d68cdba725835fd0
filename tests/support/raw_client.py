"""A WebSocket without a library, for what no browser does on purpose."""

import base64
import os
import socket
import struct

PATH = "/socket.io/?EIO=4&transport=websocket"
TEXT, BINARY, CLOSE = 0x1, 0x2, 0x8


def client_frame(payload, *, opcode=TEXT, final=True):
    """Return a masked frame; what is long goes under a mask of zeros."""
    size, mask = len(payload), os.urandom(4) if len(payload) < 1 << 12 else bytes(4)
    head = bytes([opcode | (0x80 if final else 0)])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += b"\xfe" + struct.pack("!H", size)
    else:
        head += b"\xff" + struct.pack("!Q", size)
    pattern = mask * (size // 4 + 1)
    masked = bytes(a ^ b for a, b in zip(payload, pattern, strict=False)) if any(mask) else payload
    return head + mask + masked


class RawClient:
    """A WebSocket that does what it is told, also what it shouldn't."""

    def __init__(self, port, headers="", *, path=PATH, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.settimeout(15.0)
        if receive_buffer:  # before connecting: it sets the window
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
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
        self.socket.sendall(client_frame(payload, opcode=opcode, final=final))

    def frame(self):
        """Return opcode and payload of the next frame; None at the end of the stream."""
        while (frame := self.whole_frame()) is None:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.received += data
        return frame

    def whole_frame(self):
        """Take the next frame off what was received; None if it isn't whole yet."""
        data = self.received
        if len(data) < 2:
            return None
        size, start = data[1] & 127, 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        if len(data) < start + size:
            return None
        frame = data[0] & 15, bytes(data[start : start + size])
        del data[: start + size]
        return frame

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
