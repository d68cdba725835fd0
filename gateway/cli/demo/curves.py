"""Values that look measured: a day's curve, and a drift that remembers where it was."""

import math
import random
from dataclasses import dataclass, field

DAY_S = 600.0
"""A demo day: ten minutes, so that a chart of a minute already has a slope."""
_MEMORY = 0.95
"""How much of the drift is left after one sample."""


@dataclass(slots=True)
class Curve:
    """A sine over the day, around ``mean``, with a slowly drifting noise.

    Parameters
    ----------
    mean, swing
        The day goes from ``mean - swing`` to ``mean + swing``.
    noise
        Standard deviation of one step of the drift.
    phase
        Days by which this curve is ahead.
    """

    mean: float
    swing: float
    noise: float
    phase: float = 0.0
    _drift: float = 0.0
    _random: random.Random = field(default_factory=random.Random)

    def at(self, time_s: float) -> float:
        """Return the next sample, taken at ``time_s``."""
        self._drift = _MEMORY * self._drift + self._random.gauss(0.0, self.noise)
        return self.mean + self.swing * math.sin(2 * math.pi * (time_s / DAY_S + self.phase)) + self._drift


def clamp(value: float, low: float, high: float) -> float:
    """Return ``value``, or the bound that it passes."""
    return max(low, min(high, value))
