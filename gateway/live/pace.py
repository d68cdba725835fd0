"""How much a viewer is sent at a time, and whether it keeps up: judged by what it takes; no I/O.

All times are monotonic seconds, all sizes bytes.
"""

from math import inf

from gateway.live.outside import Traffic

_LATE_S = 1.0
"""A live viewer that hasn't answered for so long catches up from the journal."""
_ASK_S, _ASK_BYTES = 3.0, 16 * 1024
"""It is asked after so long and so many bytes, and sooner when its system doesn't take between two looks."""
_FIRST_BYTES = 16 * 1024
_LATE_BYTES = 4 * 1024
"""The first lot: for one that has just come, and for one that took too little."""
_LEAST_BYTES, _MOST_BYTES = 512, 256 * 1024
"""Of the next ones, which follow how fast the last one was taken."""
_QUICK_S, _LONG_S = 0.2, 0.6
"""Twice as much next time if it is taken sooner, half as much if later: so old is what is under way."""
_EVERY_S = 0.05
"""Between two views of the newest for a slow viewer."""
_WINDOW_S, _LONGEST_WINDOW_S = 1.0, 2.0
"""Of looking whether it comes nearer: from lot to lot, or by time where one isn't taken."""
_WINDOWS = 2
"""One that takes bytes, but comes no nearer to the newest in so many, is slow."""
_KEPT_UP_S = 1.0
"""A slow one that left nothing out for so long keeps up again."""
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.002, 0.5
_LONGER = 1.5


class Lateness:
    """Whether a live viewer handles in time what it is handed."""

    def __init__(self) -> None:
        self._asked_at = -inf
        self._asked = 0
        self._handed = 0
        self._emissions = 0
        self._settled = False

    def rests(self, emissions: int) -> bool:
        """Tell whether there is nothing to look at: it has handled all, and nothing was emitted since the last look."""
        rests = self._settled and emissions == self._emissions
        self._emissions = emissions
        return rests

    def looked(self, traffic: Traffic) -> None:
        """Note how it stands at the end of a look."""
        reached = min(traffic.acknowledged, traffic.answered + _ASK_BYTES)
        self._settled = traffic.answered >= self._asked and reached >= traffic.handed

    def is_late(self, at: float, traffic: Traffic) -> bool:
        """Tell whether an answer has been missing for too long."""
        return traffic.answered < self._asked and at - self._asked_at >= _LATE_S

    def is_stuck(self, at: float, traffic: Traffic) -> bool:
        """Tell whether to ask since its system is behind; call at each look."""
        stuck = traffic.acknowledged < self._handed
        self._handed = traffic.handed
        return stuck and traffic.answered >= self._asked and at - self._asked_at >= _LATE_S

    def is_due(self, at: float, traffic: Traffic) -> bool:
        """Tell whether to ask in turn: a browser takes from its system what its page handles much later."""
        if traffic.answered < self._asked or at - self._asked_at < _ASK_S:
            return False
        return traffic.handed - self._asked >= _ASK_BYTES

    def asked(self, at: float, traffic: Traffic) -> None:
        """Note that it was asked."""
        self._asked_at, self._asked = at, traffic.handed


class Pace:
    """One viewer's, while it catches up."""

    def __init__(self) -> None:
        self.budget = _FIRST_BYTES
        self.slow = False
        self.in_time = True
        """Whether it handled the last lot soon enough to be live."""
        self._begin(0.0, 0, Traffic())

    def may_go_live(self, under_way: int) -> bool:
        """Tell whether so many bytes under way leave room for what is published now."""
        return self.in_time and under_way <= _FIRST_BYTES

    def begin(self, at: float, behind: int, traffic: Traffic, *, late: bool) -> None:
        """Start when a viewer has joined, or has fallen behind because it took too little (``late``)."""
        self.slow = False
        self.in_time = not late
        self.budget = min(self.budget, _LATE_BYTES) if late else _FIRST_BYTES
        self._begin(at, behind, traffic)
        self._end = traffic.handed if late else 0

    def _begin(self, at: float, behind: int, traffic: Traffic) -> None:
        self._end = 0
        self._size, self._whole = 0, True
        self._sent_at: float | None = None
        self._view_at = -inf
        self._grows = False
        self._whole_since: float | None = None
        self._seen = traffic
        self._pause_s = _SHORTEST_PAUSE_S
        self._open_window(at, traffic)
        self._windows = 0
        self._least_behind = behind

    def _open_window(self, at: float, traffic: Traffic) -> None:
        self._window_at, self._window_acknowledged = at, traffic.acknowledged

    # ---- when to send

    def is_ready(self, at: float, traffic: Traffic) -> bool:
        """Tell whether the last lot is handled, so that more may be sent."""
        if traffic.answered < self._end:
            return False
        if self._sent_at is not None:
            self._adapt(at - self._sent_at)
        return not self.slow or at - self._view_at >= _EVERY_S

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

    def judge(self, at: float, behind: int, traffic: Traffic) -> None:
        """Look whether it came nearer to the newest; call after each ``is_ready``."""
        window_s = _WINDOW_S if self._sent_at is None else _LONGEST_WINDOW_S
        if self.slow or at - self._window_at < window_s:
            return
        stands = traffic.acknowledged == self._window_acknowledged  # it may be quick again once it takes something
        if stands or self._grows or behind < self._least_behind:
            self._windows, self._least_behind = 0, behind
        else:
            self._windows += 1
        self._open_window(at, traffic)
        if self._windows >= _WINDOWS:
            self.slow, self._whole_since = True, None

    def expect(self, behind: int) -> None:
        """Note that it is so far behind for no fault of its own: it asked for more, or had to wait."""
        self._windows, self._least_behind = 0, behind

    def recover(self, at: float) -> bool:
        """Let a slow one that has been shown everything for a while be slow no longer; return whether it is so."""
        if self.slow and self._whole_since is not None and at - self._whole_since >= _KEPT_UP_S:
            self.slow = False
            self.in_time = True
            self._begin(at, 0, self._seen)
        return not self.slow
