"""How often something is normally heard of, learned from its arrivals."""

_WEIGHT, _WEIGHT_YOUNG = 0.1, 0.3
"""Of the newest gap in the running mean; the second if it is longer than that, and little is known yet."""
_YOUNG_S = 120.0
"""Little is known of what was first heard less than so long before."""
_BURST = 0.02
"""Least share of its weight that a short gap has: many together are a new rhythm, a few are a burst in the old one."""
_MOST_TIMES, _MOST_YOUNG_S = 10.0, 60.0
"""A longer gap counts as so many times the mean, or as so many seconds: an outage is no rhythm."""
_UNKNOWN_S = 60.0
"""Assumed until two arrivals were seen."""
_LONGEST_S = 86400.0
_TOGETHER_S = 0.001
"""What comes so soon after another is one arrival with it: more often nothing has to be looked after."""


class Interval:
    """A running mean of the gaps between arrivals, in seconds of a monotonic clock.

    A gap counts by its length. So of a device that sends five messages together once a minute the
    minute is learned, and not the mean of one long gap and four short ones.
    """

    def __init__(self, last: float) -> None:
        self.last = last
        self._mean = 0.0
        self._learned_s = 0.0

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
        if self._mean and 0.0 <= at - self.last < _TOGETHER_S:
            return
        gap = min(max(at - self.last, 1e-6), _LONGEST_S)
        self._mean = self._mean + self._step(gap) if self._mean else gap
        self._learned_s += gap
        self.last = at

    def silent_for(self, at: float) -> float:
        """Return seconds since the last arrival."""
        return max(0.0, at - self.last)

    def _step(self, gap: float) -> float:
        if gap < self._mean:
            return _WEIGHT * max(gap / self._mean, _BURST) * (gap - self._mean)
        most_s = _MOST_TIMES * self._mean
        if self._learned_s < _YOUNG_S:
            return _WEIGHT_YOUNG * (min(gap, max(most_s, _MOST_YOUNG_S)) - self._mean)
        return _WEIGHT * (min(gap, most_s) - self._mean)
