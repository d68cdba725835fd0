"""Who watches what, and how far each has come."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.live.pace import Lateness, Pace


@dataclass(slots=True, eq=False)
class Watch:
    """One viewer of one device."""

    viewer: str
    device: str
    position: int
    """The last ``seq`` it was sent; while live, that of the room counts."""
    live: bool = False
    ended: bool = False
    mean_bytes: int = 100
    """Of the readings that it was sent last."""


@dataclass(slots=True, eq=False)
class Viewer:
    """One connection and what it watches."""

    name: str
    watches: dict[str, Watch] = field(default_factory=dict)
    behind: dict[str, Watch] = field(default_factory=dict)
    """Those that catch up; the first is served next."""
    followed: bool = False
    """Whether a green thread serves them."""
    pace: Pace = field(default_factory=Pace)
    lateness: Lateness = field(default_factory=Lateness)

    def take_turn(self) -> Watch:
        """Return the watch behind that waited longest, and put it at the end."""
        device = next(iter(self.behind))
        watch = self.behind[device] = self.behind.pop(device)
        return watch

    def readings_behind(self, newest: Callable[[str], int]) -> int:
        """Return how many readings it is away from the newest published."""
        return sum(max(newest(device) - watch.position, 0) for device, watch in self.behind.items())


@dataclass(slots=True)
class Room:
    """Those who watch a device."""

    watches: dict[str, Watch] = field(default_factory=dict)
    live: int = 0
    """How many of them are live."""
