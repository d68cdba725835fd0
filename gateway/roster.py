"""Which devices there are, of all sources: no more than the gateway can carry."""

from collections.abc import Collection

from gateway.decoding.words import shown
from gateway.errors import Rejected

MOST_DEVICES = 10_000
"""Each costs about 1.3 KB as long as the gateway runs, 5 µs in every list of devices, and a row in the journal
that stays. A sensor that invents names must not use up what all share."""


class Roster:
    """The known devices; a new one is let in while there is room."""

    def __init__(self, most: int = MOST_DEVICES) -> None:
        self._most = most
        self._known: set[str] = set()

    def add(self, device: str) -> None:
        """Know a device from an earlier run, however many there are."""
        self._known.add(device)

    def admit(self, devices: Collection[str]) -> None:
        """Let in those that are not known yet: all, or none.

        Raises
        ------
        Rejected
            There is no room for them.
        """
        if self._known.issuperset(devices):
            return
        new = {device for device in devices if device not in self._known}
        if len(self._known) + len(new) > self._most:
            raise Rejected(f"more than {self._most} devices: no room for {shown(min(new))}")
        self._known |= new
