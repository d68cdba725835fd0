"""How often something is normally heard of, learned from its arrivals."""

_WEIGHT = 0.1
"""Of the newest gap in the running mean: about the last ten arrivals count."""
_UNKNOWN_S = 60.0
"""Assumed until two arrivals were seen."""
_LONGEST_S = 86400.0


class Interval:
    """A running mean of the gaps between arrivals, in seconds of a monotonic clock."""

    def __init__(self, last: float) -> None:
        self.last = last
        self._mean = 0.0

    @property
    def seconds(self) -> float:
        """The normal gap; 60 s until it is known."""
        return self._mean or _UNKNOWN_S

    @property
    def known(self) -> bool:
        """Whether at least two arrivals were seen."""
        return self._mean > 0

    def arrived(self, at: float) -> None:
        """Learn from an arrival at ``at``."""
        gap = min(max(at - self.last, 1e-6), _LONGEST_S)
        self._mean = gap if not self._mean else self._mean + _WEIGHT * (gap - self._mean)
        self.last = at

    def silent_for(self, at: float) -> float:
        """Return seconds since the last arrival."""
        return max(0.0, at - self.last)
