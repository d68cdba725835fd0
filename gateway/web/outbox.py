"""A client's queue of packets that knows how many bytes wait; engineio's own has no bound."""

from typing import Any

import eventlet.queue


class Outbox(eventlet.queue.Queue):  # type: ignore[misc]  # eventlet has no types
    """``unsent`` is the payload of the packets that this client hasn't been sent yet, in bytes."""

    def _init(self, maxsize: int | None) -> None:
        super()._init(maxsize)
        self.unsent = 0

    def _put(self, item: Any) -> None:
        super()._put(item)
        self.unsent += _size(item)

    def _get(self) -> Any:
        item = super()._get()
        self.unsent -= _size(item)
        return item


def _size(packet: Any) -> int:
    data = getattr(packet, "data", None)
    return len(data) if isinstance(data, (str, bytes)) else 0
