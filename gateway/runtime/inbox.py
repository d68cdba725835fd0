"""Between native threads and the hub."""

import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

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
        self._handling: T | None = None
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
            self._handling = self._items.popleft()
            try:
                self._handle(self._handling)
            except Exception:
                log.exception("handling an item from a native thread failed")
            self._handling = None

    def in_hand(self) -> dict[str, object]:
        """Return the item that is being handled, else the one that is to be next; empty if there is none."""
        if self._handling is not None:
            return {"item": self._handling}
        return {"item": self._items[0]} if self._items else {}  # the hub alone takes items off
