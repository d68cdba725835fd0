"""How much a viewer is sent at a time, and whether it keeps up: judged by what it takes; no I/O.

All times are monotonic seconds, all sizes bytes.
"""

from math import inf

from gateway.live.credit import FIRST_BYTES, LATE_S
from gateway.live.outside import Traffic

_SHORTEST_ASK_S, _LONGEST_ASK_S, _MOST_ASKS_A_SECOND = 0.5, 3.0, 25
_ASK_BYTES = 16 * 1024
"""It is asked after so long and so many bytes, and sooner when its system doesn't take between two looks."""
_LATE_BYTES = 4 * 1024
"""The first lot for one that took too little; for one that has just come it is ``FIRST_BYTES``."""
_LEAST_BYTES, _MOST_BYTES = 512, 256 * 1024
"""Of the next ones, which follow how fast the last one was taken."""
_MOST_UNDER_WAY_BYTES = 16 * 1024
"""To one that goes live, whatever it takes: the system has to take what is published then, too."""
_QUICK_S, _LONG_S = 0.2, 0.4
"""Twice as much next time if a lot is taken sooner, half as much if later: so old is what is under way."""
_EVERY_S = 0.05
"""Between two views of the newest for a slow viewer, and between lots of which one isn't answered yet."""
_NO_NEARER_S, _ANSWERS = 1.0, 2
"""One that comes no nearer to the newest for so long, with so many answers, is slow."""
_STANDS_S = 2.0
"""One that took nothing for so long may be quick once it takes something."""
_KEPT_UP_S = 1.0
"""A slow one that left nothing out for so long keeps up again."""
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.5
_LONGER = 1.5


def ask_every_s(viewers: int) -> float:
    """Return how long after an answer one of so many is asked in turn: as often as they can all be asked cheaply."""
    return min(max(viewers / _MOST_ASKS_A_SECOND, _SHORTEST_ASK_S), _LONGEST_ASK_S)


class Lateness:
    """Whether a live viewer handles in time what it is handed."""

    def __init__(self) -> None:
        self._asked_at = -inf
        self._asked = 0
        self._handed = 0
        self._settled = -1

    def rests(self, handed: int) -> bool:
        """Tell whether there is nothing to look at: it has handled all that it was ever handed."""
        return handed == self._settled

    def is_asked(self, answered: int) -> bool:
        """Tell whether an answer is missing."""
        return answered < self._asked

    def is_long_ago(self, at: float) -> bool:
        """Tell whether it was asked so long ago that an answer would be late, or one that came is old."""
        return at - self._asked_at >= LATE_S

    def is_due(self, at: float, handed: int, every_s: float) -> bool:
        """Tell whether to ask in turn: a browser takes from its system what its page handles much later."""
        return at - self._asked_at >= every_s and handed - self._asked >= _ASK_BYTES

    def is_stuck(self, traffic: Traffic) -> bool:
        """Tell whether to ask since its system is behind what it was handed by the last look; note whether it rests."""
        reached = min(traffic.acknowledged, traffic.answered + _ASK_BYTES)
        self._settled = traffic.handed if reached >= traffic.handed else -1
        return traffic.acknowledged < self._handed

    def looked(self, handed: int) -> None:
        """Note how much it was handed by the end of a look."""
        self._handed = handed

    def asked(self, at: float, handed: int) -> None:
        """Note that it was asked."""
        self._asked_at, self._asked = at, handed


class Pace:
    """One viewer's, while it catches up."""

    def __init__(self) -> None:
        self.budget = FIRST_BYTES
        self.slow = False
        self.in_time = True
        """Whether it handled the last lot soon enough to be live."""
        self._begin(0.0, 0, Traffic())

    def _begin(self, at: float, behind: int, traffic: Traffic) -> None:
        self._end = 0
        self._size, self._whole = 0, True
        self._sent_at: float | None = None
        self._view_at = -inf
        self._grows = False
        self._whole_since: float | None = None
        self._seen = self._moved = traffic
        self._moved_at = at
        self._pause_s = _SHORTEST_PAUSE_S
        self.expect(at, behind)

    def may_go_live(self, under_way: int) -> bool:
        """Tell whether so many bytes under way leave room for what is published now."""
        return self.in_time and under_way <= min(max(self.budget, FIRST_BYTES) // 2, _MOST_UNDER_WAY_BYTES)

    def begin(self, at: float, behind: int, traffic: Traffic, *, late: bool) -> None:
        """Start when a viewer has joined, or has fallen behind because it took too little (``late``)."""
        self.slow = False
        self.in_time = not late
        self.budget = min(self.budget, _LATE_BYTES) if late else FIRST_BYTES
        self._begin(at, behind, traffic)
        if late:  # what is under way to it is its first lot
            self._end, self._sent_at = traffic.handed, at

    # ---- when to send

    def is_ready(self, at: float, traffic: Traffic) -> bool:
        """Tell whether the last lot is handled, or was so small that more may be sent all the same."""
        if traffic.answered < self._end:
            return self._may_follow(at, traffic.handed - traffic.answered)
        if self._sent_at is not None:
            self._adapt(min(at, traffic.answered_at) - self._sent_at - traffic.way_s)
            self._answers += 1
        return not self.slow or at - self._view_at >= _EVERY_S

    def _may_follow(self, at: float, under_way: int) -> bool:
        """Tell whether a lot may follow one that isn't answered: over a long way much is published meanwhile."""
        is_quick = self._grows and not self.slow
        return is_quick and under_way <= self.budget // 2 and at - self._view_at >= _EVERY_S

    def _adapt(self, took_s: float) -> None:
        self._sent_at = None
        self.in_time = took_s <= _LONG_S
        if not self.in_time:
            self.budget = max(self.budget // 2, _LEAST_BYTES)
            self._whole_since = None
        self._grows = took_s < _QUICK_S and self.budget < _MOST_BYTES
        if took_s < _QUICK_S and (self._size >= self.budget // 2 or not self._whole):
            self.budget = min(self.budget * 2, _MOST_BYTES)

    def sent(self, at: float, size: int, traffic: Traffic, *, whole: bool) -> None:
        """Note that a lot of ``size`` bytes was handed over, and whether nothing was left out of it."""
        self._sent_at = self._view_at = at
        self._size, self._end, self._whole = size, traffic.handed, whole
        if not whole:
            self._whole_since = None
        elif self._whole_since is None:
            self._whole_since = at

    def pause_s(self, traffic: Traffic) -> float:
        """Return how long to wait before looking again: the longer, the longer nothing moves."""
        moves = (traffic.acknowledged, traffic.answered) != (self._seen.acknowledged, self._seen.answered)
        self._seen = traffic
        self._pause_s = _SHORTEST_PAUSE_S if moves else min(self._pause_s * _LONGER, _LONGEST_PAUSE_S)
        return self._pause_s

    # ---- whether it keeps up

    def stands(self, at: float, traffic: Traffic) -> bool:
        """Tell whether it has taken nothing for long."""
        if (traffic.acknowledged, traffic.answered) != (self._moved.acknowledged, self._moved.answered):
            self._moved, self._moved_at = traffic, at
        return at - self._moved_at >= _STANDS_S

    def expect(self, at: float, behind: int) -> None:
        """Begin to look whether it comes nearer than ``behind``: it has, or that it didn't was no fault of its own."""
        self._nearest, self._nearest_at, self._answers = behind, at, 0

    def judge(self, at: float, behind: int) -> None:
        """Look, when a lot is handled, whether it came nearer to the newest."""
        if behind < self._nearest:
            self.expect(at, behind)
        elif self._grows:
            self._nearest = behind
        elif self._answers >= _ANSWERS and at - self._nearest_at >= _NO_NEARER_S and not self.slow:
            self.slow, self._whole_since = True, None

    def recover(self, at: float) -> bool:
        """Let a slow one that has been shown everything for a while be slow no longer; return whether it is so."""
        if self.slow and self._whole_since is not None and at - self._whole_since >= _KEPT_UP_S:
            self.slow = False
            self.in_time = True
            self._begin(at, 0, self._seen)
        return not self.slow
