"""How much memory is taken by what waits for the disk."""

from collections.abc import Iterable

from gateway.model import Entry

MOST_BYTES = 64 * 2**20
"""Of all that was appended and has not come to its end, kept for its sender or not."""
MOST_QUEUED = 20_000
"""Entries that wait for the writer; those that their senders keep have a bound in what these may send."""
_OBJECT_BYTES = 512
"""About what a message takes beside its bytes, and each of its readings."""


class Waiting:
    """Counts what is between ``append`` and its end: the hub adds, the writer takes off.

    Each has a sum of its own that the other only reads, so no lock is needed. A message counts with
    its payload, also where readings were made of it: it is the adapter's, and nobody here may empty it.
    """

    def __init__(self) -> None:
        self._came = 0
        self._went = 0

    def add(self, entry: Entry, queued: int) -> bool:
        """Count ``entry`` if there is room for it behind ``queued`` others; called by the hub."""
        message = entry.message
        if queued >= MOST_QUEUED and not message.acknowledged:
            return False
        weight = _OBJECT_BYTES + len(message.payload) + len(message.topic)
        for reading in entry.readings:
            weight += _OBJECT_BYTES + len(reading.body)
        entry.weight = weight
        came = self._came + weight
        if came - self._went > MOST_BYTES:
            return False
        self._came = came
        return True

    def take_off(self, entries: Iterable[Entry]) -> None:
        """Forget what has come to its end; called by the writer."""
        self._went += sum([entry.weight for entry in entries])
