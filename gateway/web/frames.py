"""Frames of a WebSocket (RFC 6455): what comes in is bounded, and what goes out is made in one piece."""

from typing import Any

from eventlet.websocket import FailedConnectionError, RFC6455WebSocket

_TEXT = 1
_CONTINUATION = 0
_WRONG_KIND, _NO_TEXT = 1003, 1007
TOO_BIG = 1009
"""Close codes, section 7.4.1."""
_AHEAD_BYTES = 512
"""So much is asked for at least: some dozens of answers to pings, or an event as pages send it."""


class BoundedText(RFC6455WebSocket.Message):  # type: ignore[misc]  # eventlet has no types
    """Text of a bounded size, however it is cut into fragments."""

    def __init__(self, opcode: int, limit: int, decoder: Any = None, decompressor: Any = None) -> None:
        super().__init__(opcode, limit, decoder, decompressor)
        self._size = 0
        if not opcode & 8 and opcode not in {_TEXT, _CONTINUATION}:
            raise FailedConnectionError(_WRONG_KIND, "only text is taken")

    def push(self, data: bytes, final: bool = False) -> None:
        """Take a piece; raises ``FailedConnectionError`` where that is too much."""
        self._size += len(data)
        if self._size > self.max_frame_length:
            raise FailedConnectionError(TOO_BIG, f"a message has at most {self.max_frame_length} bytes")
        super().push(data, final)

    def getvalue(self) -> Any:
        """Return the text; raises ``FailedConnectionError`` where it is none."""
        try:
            return super().getvalue()
        except ValueError as error:
            raise FailedConnectionError(_NO_TEXT, "text is UTF-8") from error


class ReadAhead:
    """A connection that is asked for more than is wanted: a frame is taken in three pieces, each a call else."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.ahead = b""

    def recv(self, size: int) -> bytes:
        """Return what is there, at most so much, none at the end; waits."""
        if not self.ahead:
            self.ahead = self._connection.recv(max(size, _AHEAD_BYTES))
        data, self.ahead = self.ahead[:size], self.ahead[size:]
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def text_frame(text: str) -> bytes:
    """Return a whole, unmasked text frame (RFC 6455, section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 1 << 16:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), payload)
