"""Green threads, waiting, and the one way from native threads onto the hub.

Below ``__main__`` and ``web`` this alone imports eventlet, so that another runtime could take its
place. Three rules hold everywhere else:

* nothing that blocks runs on the hub: it goes through a ``Worker``;
* a native thread never touches a green object: it calls ``Inbox.post`` (TRAPS 6.3);
* a native thread never logs: the logging locks are green (TRAPS 6.3). Errors come back as data.
"""

import contextlib
import logging
import time
import warnings
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet
import eventlet.event
import eventlet.hubs
import eventlet.patcher

T = TypeVar("T")
P = ParamSpec("P")
log = logging.getLogger(__name__)

_threading = eventlet.patcher.original("threading")
_queue = eventlet.patcher.original("queue")
_socket = eventlet.patcher.original("socket")
_os = eventlet.patcher.original("os")

NativeThread = _threading.Thread
NativeCondition = _threading.Condition
NativeEvent = _threading.Event
"""Parts of the unpatched ``threading``, for code that runs in native threads only."""


def now() -> float:
    """Return Unix seconds: the daemon's one source of time."""
    return time.time()


def monotonic() -> float:
    """Return seconds that never go backwards, for intervals."""
    return time.monotonic()


def sleep(seconds: float = 0.0) -> None:
    """Let others run, for at least ``seconds``."""
    eventlet.sleep(seconds)


class Task:
    """A running green thread."""

    def __init__(self, thread: Any) -> None:
        self._thread = thread

    def kill(self) -> None:
        """End it now, wherever it waits."""
        self._thread.kill()

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; return whether it came in time."""
        with eventlet.Timeout(timeout_s, False):
            with contextlib.suppress(eventlet.greenlet.GreenletExit):
                self._thread.wait()
            return True
        return False


def spawn(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Task:
    """Run ``function`` in a green thread; what it raises is logged with a traceback."""

    def guarded() -> None:
        try:
            function(*args, **kwargs)
        except Exception:
            log.exception("background task %s failed", getattr(function, "__qualname__", function))

    return Task(eventlet.spawn(guarded))


class Event:
    """Set once, waited for by any number of green threads."""

    def __init__(self) -> None:
        self._set = False
        self._event = eventlet.event.Event()

    def is_set(self) -> bool:
        """Tell whether ``set`` was called."""
        return self._set

    def set(self) -> None:
        """Wake everybody who waits; hub thread only."""
        if not self._set:
            self._set = True
            self._event.send()

    def wait(self, timeout_s: float) -> bool:
        """Wait until set, at most ``timeout_s``; return whether it is set."""
        if not self._set:
            with eventlet.Timeout(timeout_s, False):
                self._event.wait()
        return self._set


def wait_readable(fd: int, timeout_s: float) -> bool:
    """Wait until ``fd`` can be read; return False after ``timeout_s``.

    Only one green thread may wait for a descriptor, and only its owner may close it: closing wakes
    nobody (TRAPS 2.1).
    """
    return _wait(fd, timeout_s, read=True)


def wait_writable(fd: int, timeout_s: float) -> bool:
    """Wait until ``fd`` takes bytes; return False after ``timeout_s``."""
    return _wait(fd, timeout_s, write=True)


def _wait(fd: int, timeout_s: float, *, read: bool = False, write: bool = False) -> bool:
    try:
        eventlet.hubs.trampoline(fd, read=read, write=write, timeout=timeout_s)
    except eventlet.Timeout:
        return False
    return True


def read_now(fd: int, size: int) -> bytes:
    """Read at most ``size`` bytes that are there, from a non-blocking descriptor.

    Raises ``BlockingIOError`` when there are none, ``OSError`` when the other end is gone.
    """
    data: bytes = _os.read(fd, size)
    return data


def native_socketpair() -> tuple[Any, Any]:
    """Return two joined, non-blocking sockets that no green code touches."""
    pair: tuple[Any, Any] = _socket.socketpair()
    for end in pair:
        end.setblocking(False)
    return pair


def end_process_after(seconds: float) -> None:
    """End this process hard after ``seconds``, from a native thread: even if the hub hangs."""
    timer = _threading.Timer(seconds, _os._exit, (1,))  # noqa: SLF001  the documented name
    timer.daemon = True
    timer.start()


def native_write(fd: int, data: bytes) -> int:
    """Write in a native thread, blocking it; return how many bytes went."""
    count: int = _os.write(fd, data)
    return count


class Inbox(Generic[T]):
    """The one way from native threads onto the hub: a deque, and a byte on a socket pair."""

    def __init__(self, handle: Callable[[T], object]) -> None:
        self._handle = handle
        self._items: deque[T] = deque()
        self._closing = False
        self._reader, self._writer = native_socketpair()

    def post(self, item: T) -> None:
        """Hand ``item`` to the hub; from any thread, in order, without waiting."""
        self._items.append(item)
        self._wake()

    def close(self) -> None:
        """Let ``run`` end once it has handled what was posted; from any thread."""
        self._closing = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # full of wake-ups already: the hub will come by
            self._writer.send(b"\0")

    def run(self) -> None:
        """Handle items as they come, until closed; a green thread's body."""
        with self._reader, self._writer:
            while not self._closing:
                if wait_readable(self._reader.fileno(), 60.0):
                    self._reader.recv(4096)
                    self.drain()
            self.drain()

    def drain(self) -> None:
        """Handle what is there now."""
        while self._items:
            try:
                self._handle(self._items.popleft())
            except Exception:
                log.exception("handling an item from a native thread failed")


class Worker:
    """One native thread that runs blocking calls for green threads, in order."""

    def __init__(self, name: str) -> None:
        self._jobs: Any = _queue.SimpleQueue()
        self._inbox: Inbox[tuple[Any, Any, BaseException | None]] = Inbox(self._deliver)
        self._task = spawn(self._inbox.run)
        self._thread = NativeThread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``function`` in the native thread; this green thread waits, the hub goes on."""
        done = eventlet.event.Event()
        self._jobs.put((done, function, args, kwargs))
        result: T = done.wait()
        return result

    def close(self) -> None:
        """Let the thread end after what it was given."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            done, function, args, kwargs = job
            try:
                self._inbox.post((done, function(*args, **kwargs), None))
            except BaseException as error:  # noqa: BLE001  handed to the caller as it is
                self._inbox.post((done, None, error))
        self._inbox.close()

    @staticmethod
    def _deliver(outcome: tuple[Any, Any, BaseException | None]) -> None:
        done, result, error = outcome
        if error is None:
            done.send(result)
        else:
            done.send_exception(error)


def resolve_in_background(timeout_s: float = 10.0) -> None:
    """Let green sockets look names up in a native thread, with all that libc knows (TRAPS 6.4).

    Called once, by the daemon's entry point.
    """
    import socket  # noqa: PLC0415

    import eventlet.green.socket  # noqa: PLC0415  only the daemon needs it

    worker = Worker("resolver")
    look_up = _socket.getaddrinfo

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        with eventlet.Timeout(timeout_s, _socket.gaierror(_socket.EAI_AGAIN, "looking the name up took too long")):
            return worker.call(look_up, *args, **kwargs)

    eventlet.green.socket.getaddrinfo = getaddrinfo
    socket.getaddrinfo = getaddrinfo


def is_patched() -> bool:
    """Tell whether the standard library is green, as the daemon needs it."""
    return bool(eventlet.patcher.is_monkey_patched("socket"))


__all__ = [
    "Event",
    "Inbox",
    "NativeCondition",
    "NativeEvent",
    "NativeThread",
    "Task",
    "Worker",
    "end_process_after",
    "is_patched",
    "monotonic",
    "native_socketpair",
    "native_write",
    "now",
    "read_now",
    "resolve_in_background",
    "sleep",
    "spawn",
    "wait_readable",
    "wait_writable",
]
