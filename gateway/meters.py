"""What is measured as it happens, for /metrics: on the hub, at most once a commit, without a lock."""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from math import inf
from operator import attrgetter

from gateway.model import Entry

_SOURCE = attrgetter("source")
_TIMES_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_LAGS = 2048
"""Emissions that are remembered one by one."""


class Distribution:
    """How often which value was seen, in steps.

    Parameters
    ----------
    steps
        Their upper bounds, ascending; each includes its bound. One more takes all that is greater.
    """

    def __init__(self, steps: Sequence[float] = _TIMES_S) -> None:
        self.sum = 0.0
        self._steps = (*steps, inf)
        self._counts = [0] * len(self._steps)

    def observe(self, value: float, count: int = 1) -> None:
        """Note that ``value`` was seen, ``count`` times."""
        self._counts[bisect_left(self._steps, value)] += count
        self.sum += value * count

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Yield each step's bound with how many values were at most as great; the last bound is infinite."""
        return zip(self._steps, accumulate(self._counts), strict=True)


class Meters:
    """The gateway's; hub thread only."""

    def __init__(self) -> None:
        self.readings: Counter[str] = Counter()
        """That were committed in this run, by source."""
        self.commit_s = Distribution()
        """What commits took, in the journal's thread."""
        self.emission_s = Distribution()
        """From arrival to emission, counted by readings."""
        self.hub_lag_s = Distribution()
        """How late the hub comes to what is due."""
        self._lags: deque[float] = deque(maxlen=_LAGS)

    def emitted(self, waited_s: float) -> None:
        """Note how long the oldest message of a commit has waited for its emission, which came just now."""
        self._lags.append(waited_s)

    def lag_ms(self) -> dict[str, float]:
        """Return p50 and p99 of what ``emitted`` noted lately."""
        lags = sorted(self._lags) or [0.0]
        return {
            name: round(1000 * lags[int(share * (len(lags) - 1))], 3) for name, share in (("p50", 0.5), ("p99", 0.99))
        }

    def committed(self, entries: Sequence[Entry], took_s: float, waited_s: float) -> None:
        """Count the readings of one commit.

        Parameters
        ----------
        entries
            What was committed, published already.
        took_s
            The commit itself.
        waited_s
            Since the first of them arrived: no reading of them has waited for longer.
        """
        count = 0
        for source, run in groupby(entries, key=_SOURCE):
            length = sum([len(entry.readings) for entry in run])
            self.readings[source] += length
            count += length
        self.commit_s.observe(took_s)
        self.emission_s.observe(waited_s, count)
