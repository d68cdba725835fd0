"""Who watches what, and how far each has come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from gateway.live.pace import Lateness, Pace


@dataclass(slots=True, eq=False)
class Watch:
    """One viewer of one device."""

    viewer: str
    device: str
    position: int
    """The last ``seq`` it was sent; while live, that of the room counts."""
    every_s: float = 0.0
    """Between two packets, if the viewer asked for few."""
    asked: int = 0
    """Up to which ``seq`` it asked for all."""
    live: bool = False
    ended: bool = False
    mean_bytes: int = 100
    """Of the readings that it was sent last."""
    failing_since: float | None = None
    again_at: float = -inf
    """Monotonic seconds: since when what it misses can't be read, and when that is tried again."""
    next_view_at: float = -inf
    """When one who asked for few is due to be sent more of what it missed."""

    @property
    def is_thin(self) -> bool:
        """Whether it is to be sent the extremes of what it misses, and not all."""
        return self.every_s > 0 and self.position >= self.asked


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

    @property
    def is_live(self) -> bool:
        """Whether it is live for one of them, at least."""
        return len(self.behind) < len(self.watches)

    def take_turn(self) -> Watch:
        """Return the watch behind that waited longest, and put it at the end."""
        device = next(iter(self.behind))
        watch = self.behind[device] = self.behind.pop(device)
        return watch

    @property
    def is_kept_waiting(self) -> bool:
        """Whether it comes no nearer for no fault of its own."""
        return any(watch.failing_since is not None for watch in self.behind.values())

    def readings_behind(self, due: Callable[[Watch], int]) -> int:
        """Return how many readings it is away from where it is to come."""
        return sum(max(due(watch) - watch.position, 0) for watch in self.behind.values())
