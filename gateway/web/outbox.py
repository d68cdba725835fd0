"""A client's queue of packets that knows how many bytes wait; engineio's own has no bound."""

from queue import Empty
from typing import Any

import eventlet.queue


class Outbox(eventlet.queue.Queue):  # type: ignore[misc]  # eventlet has no types
    """Counts the payload of the packets that this client hasn't been sent yet, in bytes."""

    def _init(self, maxsize: int | None) -> None:
        super()._init(maxsize)
        self.unsent = 0
        self.passed = 0
        """What was taken out, ever."""
        self.one_by_one = False
        """Give engineio's writer one packet at a time: what it holds it can't be asked for."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take the oldest packet out."""
        if self.one_by_one and not block:  # engineio collects what is there behind the first
            raise Empty
        return super().get(block, timeout)

    def join(self) -> None:
        """Return at once: engineio would wait here for a client that may never take what is for it."""

    def clear(self) -> None:
        """Forget what waits."""
        self.queue.clear()
        self.unsent = 0

    def _put(self, item: Any) -> None:
        super()._put(item)
        self.unsent += _size(item)

    def _get(self) -> Any:
        item = super()._get()
        size = _size(item)
        self.unsent -= size
        self.passed += size
        return item


def _size(packet: Any) -> int:
    data = getattr(packet, "data", None)
    return len(data) if isinstance(data, (str, bytes)) else 0
