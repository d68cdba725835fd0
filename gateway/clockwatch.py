"""Notices when somebody sets the machine's clock."""

from collections.abc import Callable

_LEAST_S = 1.0
"""What drifts, or is slewed, is no step."""


class ClockWatch:
    """Holds the clock against seconds that run on whatever it is set to."""

    def __init__(self, now: Callable[[], float], steady: Callable[[], float]) -> None:
        self._now = now
        self._steady = steady
        self._ahead_s = now() - steady()

    def look(self) -> float:
        """Return by how many seconds the clock was set since the last look, back or forward; 0: it wasn't."""
        ahead_s = self._now() - self._steady()
        step_s, self._ahead_s = ahead_s - self._ahead_s, ahead_s
        return step_s if abs(step_s) >= _LEAST_S else 0.0
