"""What the standard library was before it became green, for code in native threads."""

from collections.abc import Callable
from typing import Any

import eventlet.patcher

_threading = eventlet.patcher.original("threading")
_socket = eventlet.patcher.original("socket")
_os = eventlet.patcher.original("os")

NativeThread = _threading.Thread
NativeCondition = _threading.Condition
NativeEvent = _threading.Event
NativeSimpleQueue = eventlet.patcher.original("queue").SimpleQueue


def read_now(fd: int, size: int) -> bytes:
    """Read at most ``size`` bytes that are there, from a non-blocking descriptor.

    Raises ``BlockingIOError`` when there are none, ``OSError`` when the other end is gone.
    """
    data: bytes = _os.read(fd, size)
    return data


def native_write(fd: int, data: bytes) -> int:
    """Write in a native thread, blocking it; return how many bytes went."""
    count: int = _os.write(fd, data)
    return count


def native_socketpair() -> tuple[Any, Any]:
    """Return two joined, non-blocking sockets that no green code touches."""
    pair: tuple[Any, Any] = _socket.socketpair()
    for end in pair:
        end.setblocking(False)
    return pair


def native_datagram_socket() -> Any:
    """Return a Unix datagram socket that never waits, and that no green code touches."""
    made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def end_process_after(seconds: float, code: Callable[[], int]) -> None:
    """End this process hard after ``seconds``, from a native thread, even if the hub hangs; ``code`` is asked then."""
    timer = _threading.Timer(seconds, lambda: _os._exit(code()))  # noqa: SLF001  the documented name
    timer.daemon = True
    timer.start()
