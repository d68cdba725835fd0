"""How much of the hub's time those may have who send: so much a second each, and a little in one turn."""

from collections import deque

from gateway.runtime import Event, monotonic, sleep, spawn

_A_TURN_S = 0.001
"""CPU time that all of them together may take in one turn of the hub."""
_SHARE = 0.5
"""Of the hub's time, for all of them together, when they want it all."""
_MOST_WAIT_S = 20.0


class Allowance:
    """So much a second, and some at once after a rest; the unit is the caller's.

    Parameters
    ----------
    rate
        A second.
    burst
        The most that is saved up.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = monotonic()

    def spend(self, amount: float) -> None:
        """Take ``amount``, also if less is left."""
        at = monotonic()
        self._left = min(self._burst, self._left + (at - self._at) * self._rate) - amount
        self._at = at

    def pause_s(self) -> float:
        """Return how long to wait until nothing is owed."""
        return max(0.0, -self._left / self._rate - (monotonic() - self._at))


class Turnstile:
    """Lets work through in small lots, first come, first served; hub thread only.

    Green threads that have data to read don't wait by themselves: one that sends without end would keep the hub,
    and a thousand that send one message each would keep it together.
    """

    def __init__(self) -> None:
        self._spent = 0.0
        self._line: deque[Event] = deque()
        self._is_running = False

    def enter(self) -> None:
        """Return when there is time for a piece of work; what it took must be told to ``spend``."""
        if self._line or self._spent >= _A_TURN_S:
            turn = Event()
            self._line.append(turn)
            turn.wait(_MOST_WAIT_S)

    def spend(self, cpu_s: float) -> None:
        """Account for work that was done."""
        self._spent += cpu_s
        if not self._is_running:
            self._is_running = True
            spawn(self._run)

    def _run(self) -> None:
        while self._spent or self._line:
            sleep(self._spent / _SHARE - self._spent)
            self._spent = 0.0
            while self._line and self._spent < _A_TURN_S:
                self._line.popleft().set()
                sleep()  # it works now, and then whoever has become ready meanwhile
        self._is_running = False
