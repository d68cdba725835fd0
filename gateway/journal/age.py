"""The time by which readings grow old."""

from collections.abc import Callable

from gateway.runtime import is_set, since_boot

_FASTEST = 2.0


class Age:
    """Follows the clock, but forward at most twice as fast as time passes.

    A clock that jumps ahead by years makes nothing old at once: somebody has time to put it right.
    One that was put right after the gateway had been off is caught up with; meanwhile readings
    stay for longer, never for less.

    Parameters
    ----------
    reached
        Where it stood when the journal was last open, in Unix seconds; None: it is new.
    clock
        Unix seconds; it may be set at any time.
    steady
        Seconds that run on whatever the clock is set to.
    """

    def __init__(
        self, reached: float | None, clock: Callable[[], float], steady: Callable[[], float] = since_boot
    ) -> None:
        self.reached = reached
        self._clock = clock
        self._steady = steady
        self._looked_at = steady()

    def look(self) -> float | None:
        """Return it in Unix seconds; None while the clock isn't set, when nothing grows old."""
        at = self._steady()  # first: a jump of the clock between the two is one of the next look
        wall = self._clock()
        if not is_set(wall):
            return None
        passed = max(0.0, at - self._looked_at)
        self._looked_at = at
        self.reached = wall if self.reached is None else min(wall, self.reached + _FASTEST * passed)
        return self.reached
