"""Those who watch a device, and when what is published goes to them."""

from dataclasses import dataclass, field
from math import inf

from gateway.live.waiting import Waiting
from gateway.live.watches import Watch

_FEW = 4
"""Viewers: so many are sent everything at once. It costs less than a reading's way from its source to here."""
_SHARE = 0.003
"""Of the hub's time, for a room's other viewers: where emissions would take more they wait for company."""
_SHORTEST_S, _LONGEST_S = 0.01, 0.04
"""What would wait for less than the one goes at once; nothing waits for longer than the other."""
_WEIGHT = 0.25
"""Of the last emission in what one costs a viewer."""


@dataclass(slots=True, eq=False)
class Room:
    """Those who watch a device."""

    device: str
    waiting: Waiting
    watches: dict[str, Watch] = field(default_factory=dict)
    live: int = 0
    """How many of them are live."""
    position: int = 0
    """The last ``seq`` that went to those who are live."""
    due: float | None = None
    """When it goes to them, if something waits."""
    emissions: int = 0
    """How many there were, ever."""
    _emitted_at: float = -inf
    _cost_s: float = 0.0

    def window_s(self) -> float:
        """Return for how long emissions wait for company: 0, 10, 20 or 40 ms, as they are dear."""
        wanted, window = max(self.live - _FEW, 0) * self._cost_s / _SHARE, _SHORTEST_S
        if wanted < _SHORTEST_S:
            return 0.0
        while 2 * window <= wanted and window < _LONGEST_S:
            window *= 2
        return window

    def next_due(self, at: float) -> float | None:
        """Return when what is published at ``at`` is to go, None: at once.

        Rooms with the same window go in the same turn of the hub.
        """
        window = self.window_s()
        if at - self._emitted_at >= window:
            return None
        return (at // window + 1) * window

    def emitted(self, at: float, cost_s: float) -> None:
        """Note an emission and the time of the hub that it took, in seconds."""
        self.emissions += 1
        each_s = cost_s / max(self.live, 1)
        self._cost_s += (each_s - self._cost_s) * (_WEIGHT if self._cost_s else 1.0)
        self._emitted_at = at

    def leave(self) -> None:
        """Count a live one less; what waits for nobody is in the journal."""
        self.live -= 1
        if not self.live:
            self.waiting.take()
            self.due = None
