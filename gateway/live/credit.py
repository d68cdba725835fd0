"""How many bytes may be under way to one viewer: few, until its answers show that it takes more; no I/O.

What has left for a viewer can't be taken back, wherever it waits then: in this system's buffers, the line's, its
system's, its page's. So what is under way has a bound until it is known how much it takes: TCP's own window sees no
further than the other system.
"""

from collections import deque
from math import inf

FIRST_BYTES = 6 * 1024
"""Less than a second at 64 kbit/s."""
_ENOUGH_BYTES = 64 * 1024
"""Whoever takes so much needs no bound: it is asked now and then only, as to ask costs more than to send."""
_PARTS = 4
"""It is asked whenever it was sent such a part of what may be under way."""
_PROMPT_S = 0.1
"""Whoever answers for a part so soon may be sent twice as much: eight such parts, less than it takes in a second."""
_LONG_S = 0.4
"""Half as much if it takes longer, where there is a bound."""
LATE_S = 1.0
"""Whoever answers for one so late has to show again what it takes."""
_NEXT_TO_NOTHING_BYTES = 1024
"""So little under way is taken at once: all of an answer's time is the way's."""
_MOST_ASKS = 64


class Credit:
    """Of one connection; counts its bytes since it began.

    Parameters
    ----------
    answered
        What the viewer is known to have handled.
    """

    def __init__(self, answered: int = 0) -> None:
        self.answered = answered
        self.answered_at = -inf
        """Monotonic seconds."""
        self.way_s = inf
        """What the way to and fro takes, as far as is known."""
        self.free: float = answered
        """So much may have been handed over without a look here."""
        self._window: float = FIRST_BYTES
        self._asks: deque[tuple[int, int, float]] = deque(maxlen=_MOST_ASKS)

    def allows(self, handed: int) -> bool:
        """Tell whether so much may have been handed over without another answer."""
        return handed - self.answered <= self._window

    @property
    def is_asked(self) -> bool:
        """Whether the viewer has something to answer."""
        return bool(self._asks)

    def ask(self, upto: int, at: float) -> None:
        """Note that at ``at`` the viewer is asked to answer once it has handled what was handed, ``upto``."""
        self._asks.append((upto, upto - self.answered, at))

    def answer(self, at: float) -> None:
        """Note that it answered, if it was asked."""
        if not self._asks:
            return
        upto, under_way, asked_at = self._asks.popleft()
        size, self.answered, self.answered_at = upto - self.answered, upto, at
        took_s = self._beyond_the_way(at - asked_at, under_way)
        self._adapt(took_s, size)
        self.free = upto + self._window / _PARTS

    def _adapt(self, took_s: float, size: int) -> None:
        if took_s >= LATE_S:
            self._window = FIRST_BYTES
        elif took_s >= _LONG_S and self._window < inf:
            self._window = max(self._window / 2, FIRST_BYTES)
        elif took_s < _PROMPT_S and size * _PARTS >= self._window:
            self._window = 2 * self._window if self._window < _ENOUGH_BYTES else inf

    def _beyond_the_way(self, took_s: float, under_way: int) -> float:
        beyond_s = took_s if self.way_s == inf else took_s - self.way_s
        self.way_s = took_s if under_way <= _NEXT_TO_NOTHING_BYTES else min(self.way_s, took_s)
        return beyond_s
