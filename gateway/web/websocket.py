"""The server's end of a WebSocket: strict about what comes in, quick about what goes out.

What eventlet's own class lets pass costs the hub dearly (docs/traps.md 4.2 to 4.4): it unmasks byte by
byte, joins fragments without a bound, speaks protocols from before the standard, and leaves a session
behind whose client reads nothing.
"""

import contextlib
import fcntl
import socket
import sys
import termios
from collections.abc import Callable
from typing import Any

from eventlet.websocket import ConnectionClosedError, FailedConnectionError, RFC6455WebSocket

from gateway.live import Credit
from gateway.runtime import monotonic, spawn
from gateway.web.frames import TOO_BIG, BoundedText, ReadAhead

_CLOSE = 8
_PING, _PONG = "2", "3"
"""Engine.IO's, in text frames."""
_MOST_FRAGMENTS = 64
"""Of one message; an empty one adds no byte to what is bounded."""
_PING_FRAME = b"\x81\x012"
_NORMAL = 1000


def nothing() -> None:
    """Do nothing."""


class WebSocket(RFC6455WebSocket):  # type: ignore[misc]  # eventlet has no types
    """One connection; ``write_now`` sends a ready frame past the queue where nothing waits in it."""

    Message = BoundedText
    socket: Any
    websocket_closed: bool
    written = 0
    """Bytes that the kernel took, ever."""
    waiting = 0
    """Bytes of frames that it has not taken yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._send_now = self.socket.fd.send
        self.socket = ReadAhead(self.socket)
        self.credit = Credit()
        """What the client's answers tell of it."""
        self._fragments = 0
        self._is_cut = False
        self.admit: Callable[[], None] = nothing
        """Called before each frame is read; returns when it may be."""
        self.leave: Callable[[], None] = nothing
        """Called at the end; returns when there is time for it."""

    def begin(self, taken: int) -> None:
        """Count on from what the client has taken by polling: what was handed and answered never gets less."""
        self.written = taken
        self.credit = Credit(taken)

    def acknowledged(self) -> int:
        """Return how many bytes the other end's system has taken, ever."""
        return self.written - int.from_bytes(self._ioctl(termios.TIOCOUTQ), sys.byteorder)

    def ping_now(self) -> bool:
        """Ask the client whether it has come so far, if a frame can be written at once; it can't else.

        The system at the other end acknowledges what its browser may not have looked at for long. A client
        answers Engine.IO's ping when it has handled all that came before it.
        """
        before = self.written
        is_asked = self.write_now(_PING_FRAME)
        if is_asked:
            self.credit.ask(before, monotonic())
        return is_asked

    def write_within(self, frame: bytes) -> bool:
        """As ``write_now``, if so much more may be under way; ask the client when that is due."""
        if self.written + len(frame) <= self.credit.free:
            return self.write_now(frame)
        is_sent = self.has_credit(len(frame)) and self.write_now(frame)
        self.ask_if_due()
        return is_sent

    def has_credit(self, size: int) -> bool:
        """Tell whether ``size`` bytes more may be under way to this client; asks it if it was sent enough for that."""
        handed = self.written + size
        if handed <= self.credit.free:
            return True
        self.ask_if_due()
        return self.credit.allows(handed) or self._has_spoken()

    def ask_if_due(self) -> None:
        """Ask the client whether it has come so far, if it was sent enough for that and has nothing to answer."""
        if self.written >= self.credit.free and not self.credit.is_asked:
            self.ping_now()

    def _has_spoken(self) -> bool:
        """Tell whether something of it waits here to be read: the delay of its answer is ours then."""
        return bool(self.socket.ahead) or any(self._ioctl(termios.FIONREAD))

    def _ioctl(self, request: int) -> bytes:
        """Return what the system says of this connection, nothing if it is closed."""
        try:
            return fcntl.ioctl(self.socket.fileno(), request, bytes(4))
        except (OSError, ValueError):
            return b""

    def send(self, message: str, **kw: Any) -> None:
        """Send one message; waits."""
        if message == _PING:
            self.credit.ask(self.written + self.waiting, monotonic())
        super().send(message, **kw)

    def wait(self) -> Any:
        """Return the next message, None at the end."""
        message = super().wait()
        if message is None:
            self.leave()
        if message == _PONG:
            self.credit.answer(monotonic())
        return message

    def _recv_frame(self, message: BoundedText | None = None) -> BoundedText:
        self.admit()
        if self.websocket_closed or self._is_cut:  # else what was sent until then is read to its end, and more comes
            raise ConnectionClosedError
        self._fragments = self._fragments + 1 if message else 0
        if self._fragments > _MOST_FRAGMENTS:
            raise FailedConnectionError(TOO_BIG, f"a message has at most {_MOST_FRAGMENTS} fragments")
        frame: BoundedText = super()._recv_frame(message)
        return frame

    @staticmethod
    def _apply_mask(data: bytes, mask: bytes, length: int | None = None, offset: int = 0) -> bytes:
        size = len(data) if length is None else length
        turn = offset % 4
        pattern = (bytes(mask) * (size // 4 + 2))[turn : turn + size]
        return (int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")

    def write_now(self, frame: bytes) -> bool:
        """Send ``frame`` if the connection takes it at once, at least in part; return whether it did.

        The rest of a frame that went out in part is sent before anything else.
        """
        if self.waiting:  # the lock is held, or free but promised to one who waits
            return False
        try:
            sent = self._send_now(frame)
        except BlockingIOError:  # full, which is for the queue
            return False
        except OSError:  # broken; the reader, which may be kept waiting, is to find out now
            self.cut()
            return False
        self.written += sent
        if sent < len(frame):
            self._sendlock.acquire()
            self.waiting += len(frame) - sent
            spawn(self._finish, frame[sent:])
        return True

    def _finish(self, rest: bytes) -> None:
        try:
            self._write(rest)
        except OSError:
            self.close()
        finally:
            self._sendlock.release()

    def _send(self, frame: bytes) -> None:
        self.waiting += len(frame)
        with self._sendlock:
            self._write(frame)

    def _write(self, frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            sent = self.socket.send(view)
            view = view[sent:]
            self.written += sent
            self.waiting -= sent

    def cut(self) -> None:
        """End it without a word, and wake who waits for it."""
        self._is_cut = True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self, close_data: tuple[int, str] | None = None) -> None:
        """End it in both directions: a reader that still waits must not keep a session whose writer gave up."""
        if not self.websocket_closed:
            self.websocket_closed = True
            status, reason = close_data or (_NORMAL, "")
            data = status.to_bytes(2, "big") + reason.encode()
            with contextlib.suppress(OSError):  # gone already, or so full that no farewell fits
                self._farewell(self._pack_message(data, control_code=_CLOSE))
                self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _farewell(self, frame: bytes) -> None:
        if not self._sendlock.locked():
            self.socket.fd.send(frame)
