"""The socket under paho: reads ahead, and is closed only by its owner."""

import contextlib
import socket
import ssl

READ_AHEAD_BYTES = 64 * 1024
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Stream:
    """A connected, non-blocking socket as paho takes it.

    paho reads the first bytes of each packet one at a time, so reading ahead saves three calls of
    the kernel in four (docs/traps.md 2.1).

    paho closes wherever it finds the connection broken, which may be in the green thread that
    settles a message. Closing a descriptor wakes nobody who waits for it, and its number may be
    given away at once. So ``close`` only shuts the connection down, which wakes the owner, and
    ``release`` closes.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._ahead = b""
        self._at = 0
        self.error: OSError | None = None
        """What broke the connection, which paho doesn't tell."""
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # acknowledgements don't wait for company

    def recv(self, size: int) -> bytes:
        """Return 1 to ``size`` bytes; empty at the end of the stream.

        Raises ``BlockingIOError`` or ``ssl.SSLWantReadError`` when there are none yet.
        """
        if self._at >= len(self._ahead):
            self._ahead, self._at = self._receive(), 0
        start, self._at = self._at, self._at + size
        return self._ahead[start : self._at]

    def read_ahead(self) -> bool:
        """Tell whether ``recv`` knows something without waiting: bytes, or that the connection has ended."""
        if self._at < len(self._ahead):
            return True
        try:
            self._ahead, self._at = self._receive(), 0
        except _NOT_NOW:
            return False
        except OSError:  # which recv meets again
            return True
        return True

    @property
    def was_full(self) -> bool:
        """Whether the last read got as much as it could take: more is waiting, presumably."""
        return len(self._ahead) == READ_AHEAD_BYTES

    def ahead(self) -> tuple[bytes, int]:
        """Return what was read, and from where on it wasn't taken yet."""
        return self._ahead, self._at

    def skip_to(self, at: int) -> None:
        """Count what ``ahead`` returned as taken up to ``at``."""
        self._at = at

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(READ_AHEAD_BYTES)
        except _NOT_NOW:
            raise
        except OSError as error:
            self.error = error
            raise

    def _last_words(self) -> OSError | None:
        # That we can't write says little; what the other end sent before it left may say why.
        try:
            self._socket.recv(READ_AHEAD_BYTES)
        except _NOT_NOW:
            return None
        except OSError as error:
            return error
        return None

    def pending(self) -> bool:
        """Tell whether bytes are here that no waiting for the descriptor would announce."""
        if self._at < len(self._ahead):
            return True
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def send(self, data: bytes | bytearray) -> int:
        """Return how many bytes went out; raises as ``recv`` does when none can."""
        try:
            return self._socket.send(data)
        except _NOT_NOW:
            raise
        except OSError as error:
            self.error = self._last_words() or error
            raise

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """Change what the calls do when nothing is there."""
        self._socket.setblocking(flag)

    def close(self) -> None:
        """End the connection; the descriptor stays with its owner."""
        with contextlib.suppress(OSError, ValueError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Close the descriptor; only its owner may."""
        self._socket.close()
