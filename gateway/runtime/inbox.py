"""Between native threads and the hub: an inbox for results, a worker for blocking calls."""

import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

import eventlet.event

from gateway.runtime.green import spawn, wait_readable
from gateway.runtime.native import NativeSimpleQueue, NativeThread, native_socketpair

T = TypeVar("T")
P = ParamSpec("P")
log = logging.getLogger(__name__)


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
        self._jobs: Any = NativeSimpleQueue()
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
