"""How far the times that sources give their readings are from the gateway's."""

from collections import defaultdict, deque
from statistics import median

from gateway.runtime import is_set

MUCH_S = 60.0
"""More than this is a problem: charts of several sources would not go together."""
LATEST = 100
"""Messages that count: a few that were delivered late don't make a clock wrong."""


class Skew:
    """By source, the median of arrival less source time over its latest messages."""

    def __init__(self) -> None:
        self._differences: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=LATEST))

    def observe(self, source: str, arrived: float, ts: float) -> None:
        """Learn from a message that came in at ``arrived`` with the source's time ``ts``, both in Unix seconds.

        One without a time of its own has its arrival's, and tells nothing; nor does any while the
        gateway's clock isn't set.
        """
        if ts != arrived and is_set(arrived):
            self._differences[source].append(arrived - ts)

    def of(self, source: str) -> float | None:
        """Return seconds by which the source's times are behind; negative: ahead. None: it gives no times."""
        differences = self._differences[source]
        return round(median(differences), 3) if differences else None

    def forget(self) -> None:
        """Begin anew: the gateway's own clock was set."""
        self._differences.clear()
