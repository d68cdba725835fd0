"""Those who watch a device, and when what is published goes to them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, floor

from gateway.live.thinning import Thinned
from gateway.live.waiting import Waiting
from gateway.live.watches import Watch

_FEW = 4
"""Viewers: so many are sent everything at once. It costs less than a reading's way from its source to here."""
_SHARE = 0.002
"""Of the hub's time, for a room's other viewers: where emissions would take more they wait for company."""
_SHORTEST_S, LONGEST_S = 0.015, 0.06
"""What would wait for less than the one goes at once; nothing waits for longer than the other."""
_COMMIT_S = 0.003
"""From a source to here, where the disk is no bottleneck."""
_WEIGHT = 0.25
"""Of the last emission in what one costs a viewer."""
_ROUNDING = 1e-6


def turn_after(at: float, window_s: float) -> float:
    """Return when rooms with this window go after ``at``: at multiples of it, so that one timer does for all."""
    return (floor(at / window_s + _ROUNDING) + 1) * window_s


def slack_s(at: float, window_s: float) -> float:
    """Return for how long what comes at ``at`` may wait at its source, and be committed when rooms go next."""
    return turn_after(at + _COMMIT_S, window_s) - at - _COMMIT_S if window_s else 0.0


@dataclass(slots=True, eq=False)
class Room:
    """Those who watch a device, at the same rate."""

    device: str
    every_s: float
    """Between two packets, as its viewers asked for; 0: as readings come."""
    waiting: Waiting | Thinned = field(init=False)
    watches: dict[str, Watch] = field(default_factory=dict)
    live: int = 0
    """How many of them are live."""
    position: int = 0
    """The last ``seq`` that went to those who are live."""
    due: float | None = None
    """When it goes to them, if something waits."""
    emissions: int = 0
    """How many there were, ever."""
    is_stirred: bool = False
    """Whether something went since ``Rooms.stirred`` was called."""
    _emitted_at: float = 0.0
    _cost_s: float = 0.0

    def __post_init__(self) -> None:
        self.waiting = Thinned(self.device) if self.every_s else Waiting(self.device)

    @property
    def name(self) -> str:
        """What the transport knows it by; no device has a name with a slash in it."""
        return f"{self.device}/{self.every_s:g}" if self.every_s else self.device

    def window_s(self) -> float:
        """Return for how long emissions wait for company: 0, 15, 30 or 60 ms as they are dear, or as was asked for."""
        if self.every_s:
            return self.every_s
        wanted, window = max(self.live - _FEW, 0) * self._cost_s / _SHARE, _SHORTEST_S
        if wanted < _SHORTEST_S:
            return 0.0
        while 2 * window <= wanted and window < LONGEST_S:
            window *= 2
        return window

    def next_due(self, at: float) -> float | None:
        """Return when what is published at ``at`` is to go, None: at once.

        Nothing waits where none of them went since the last turn.
        """
        window = self.window_s()
        if not (window and self.emissions):
            return None
        if self.every_s:  # what was asked for is the most
            earliest = self._emitted_at + window
            return None if at >= earliest else ceil(earliest / window - _ROUNDING) * window
        turn = turn_after(self._emitted_at, window)
        return None if at >= turn - _ROUNDING * window else turn

    @property
    def is_large(self) -> bool:
        """Whether so many are live that it matters what an emission costs."""
        return self.live > _FEW

    def emitted(self, at: float, cost_s: float | None) -> None:
        """Note an emission and the time of the hub that it took, in seconds; None: that wasn't measured."""
        self.emissions += 1
        self.is_stirred = True
        self._emitted_at = at
        if cost_s is not None:
            each_s = cost_s / max(self.live, 1)
            self._cost_s += (each_s - self._cost_s) * (_WEIGHT if self._cost_s else 1.0)

    def leave(self) -> None:
        """Count a live one less; what waits for nobody is in the journal."""
        self.live -= 1
        if not self.live:
            self.waiting.take()
            self.due = None


class Rooms:
    """All that somebody watches."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[float, Room]] = {}

    def of(self, device: str) -> list[Room]:
        """Return those of a device, one for each rate."""
        return list(self._rooms.get(device, {}).values())

    def all(self) -> list[Room]:
        """Return every one."""
        return [room for rooms in self._rooms.values() for room in rooms.values()]

    def stirred(self) -> Iterator[str]:
        """Name those who are live in rooms from which something went since the last call."""
        for room in self.all():
            if room.is_stirred:
                room.is_stirred = False
                yield from (watch.viewer for watch in room.watches.values() if watch.live)

    def shortest_window_s(self) -> float:
        """Return for how long what comes waits in any of them, at least; nobody waits for what nobody is live for."""
        return min([LONGEST_S, *(room.window_s() for room in self.all() if room.live)])

    def room(self, watch: Watch) -> Room:
        """Return that of a watch."""
        return self._rooms[watch.device][watch.every_s]

    def add(self, watch: Watch) -> None:
        """Let a watch belong to its room, live or not."""
        rooms = self._rooms.setdefault(watch.device, {})
        rooms.setdefault(watch.every_s, Room(watch.device, watch.every_s)).watches[watch.viewer] = watch

    def remove(self, watch: Watch) -> None:
        """Take it out, and forget what nobody watches."""
        room, rooms = self.room(watch), self._rooms[watch.device]
        del room.watches[watch.viewer]
        if not room.watches:
            del rooms[watch.every_s]
        if not rooms:
            del self._rooms[watch.device]
