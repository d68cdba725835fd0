"""Between native threads and the hub."""

import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from gateway.runtime.clock import monotonic
from gateway.runtime.green import wait_readable
from gateway.runtime.native import native_socketpair

T = TypeVar("T")
log = logging.getLogger(__name__)


class Inbox(Generic[T]):
    """The one way from native threads onto the hub: a deque, and a byte on a socket pair."""

    def __init__(self, handle: Callable[[T], object]) -> None:
        self._handle = handle
        self._items: deque[T] = deque()
        self._closing = False
        self._began: float | None = None
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
            self._began = monotonic()
            try:
                self._handle(self._items.popleft())
            except Exception:
                log.exception("handling an item from a native thread failed")
            self._began = None

    def busy_s(self) -> float:
        """Return for how long the item in hand has been handled; zero if there is none."""
        return 0.0 if self._began is None else monotonic() - self._began
