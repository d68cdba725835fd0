"""A viewer that comes back by itself, and the proof that it missed nothing."""

import json
from pathlib import Path
from typing import Any

from tests.support.node import NodeClient

_SCRIPT = Path(__file__).with_name("faithful.mjs")

IMPATIENT = {"reconnectionDelay": 50, "reconnectionDelayMax": 250, "timeout": 2000}
"""The client's defaults wait 1 to 5 s before they come back, longer than a daemon lives here."""


class Faithful(NodeClient):
    """The official client under Node, rejoining each device with ``since``; a context manager.

    ``events`` has all that it was told, in order: see ``faithful.mjs``.
    """

    def __init__(self, url: str, *devices: str, options: dict[str, Any] | None = None) -> None:
        super().__init__(_SCRIPT, url, json.dumps(options or {}), *devices)
        self.events: list[list[Any]] = []

    @property
    def connections(self) -> int:
        """How often it connected."""
        return sum(event[0] == "connect" for event in list(self.events))

    def newest(self, device: str) -> int:
        """Return the last ``seq`` that it was sent or told of."""
        return max((known for _, known in _positions(list(self.events), device)), default=0)

    def readings(self, device: str) -> list[dict[str, Any]]:
        """Return every reading of ``device`` that it was sent, those without ``seq`` too."""
        return [each for event in list(self.events) if event[:2] == ["readings", device] for each in event[2]]

    def gaps(self) -> list[list[Any]]:
        """Return the gaps that it was told of."""
        return [event for event in list(self.events) if event[0] == "gap"]

    def check_unbroken(self, device: str) -> int:
        """Check that each ``seq`` came in its turn, or a gap named it; return how many came.

        A viewer that joins again asks for what follows its position, so that over all its
        connections each comes exactly once.
        """
        expected = 1
        for at, (first, last) in enumerate(_positions(list(self.events), device)):
            assert first == expected, f"{device}: {first} came where {expected} was due, event {at}"
            expected = last + 1
        return expected - 1

    def _take(self, told: list[Any]) -> None:
        self.events.append(told)


def _positions(events: list[list[Any]], device: str) -> list[tuple[int, int]]:
    """Return the stretches of ``seq`` that a viewer came to know, in the order in which it did."""
    found: list[tuple[int, int]] = []
    for kind, *event in events:
        if kind == "readings" and event[0] == device:
            found += [(each["seq"], each["seq"]) for each in event[1] if each["seq"] is not None]
        elif kind == "gap" and event[0] == device:
            found.append((event[1], event[2]))
    return found
