"""The room of all devices: who changed, at most once a second a device, the first change at once."""

from collections.abc import Callable, Iterable
from typing import Protocol

from gateway.devices import Devices

ROOM = "overview"
_EVERY_S = 1.0


class Room(Protocol):
    """What the overview needs of Socket.IO."""

    def occupied(self, room: str) -> bool:
        """Tell whether anybody is in it."""

    def announce(self, room: str, event: str, payload: object) -> None:
        """Send an event to all in it."""


class Overview:
    """Collects changes and sends them in few packets; hub thread only."""

    def __init__(self, devices: Devices, room: Room, monotonic: Callable[[], float]) -> None:
        self._devices = devices
        self._room = room
        self._monotonic = monotonic
        self._sent: dict[str, float] = {}
        self._waiting: dict[str, None] = {}

    def touch(self, names: Iterable[str]) -> None:
        """Note that these devices changed; those not sent for a second go out now."""
        at = self._monotonic()
        due = []
        for name in names:
            if at - self._sent.get(name, -_EVERY_S) >= _EVERY_S:
                due.append(name)
            else:
                self._waiting[name] = None
        self._send(due, at)

    def tick(self) -> None:
        """Send the waiting ones whose second is over; call a few times a second."""
        at = self._monotonic()
        self._send([name for name in self._waiting if at - self._sent[name] >= _EVERY_S], at)

    def _send(self, names: list[str], at: float) -> None:
        for name in names:
            self._sent[name] = at
            self._waiting.pop(name, None)
        if names and self._room.occupied(ROOM):
            described = [self._devices.describe(name) for name in names]
            self._room.announce(ROOM, "devices", {"devices": described})
