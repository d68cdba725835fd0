"""When to look at a busy connection again: what comes meanwhile then comes in company.

At a thousand messages a second nearly all of the cost is per wake-up: of the hub, of the journal's thread, of the
hub again, of each viewer. So a connection on which much comes is left alone for a few milliseconds, as network
cards do with their interrupts. Where it is quiet, nothing waits.

Where nobody would see messages sooner, as they wait for company on their way to viewers or nobody watches, the
pauses are long at any such rate.
"""

from adapters.mqtt.packets import RECEIVE_MAXIMUM

BUSY_RATE = 200.0
"""Messages a second: past it the connection is left alone between two looks."""
PAUSE_S = 0.004
_FULL_RATE = 2000.0
"""Past it the pauses grow with the rate: nobody sees the difference in so many readings, and each is cheaper."""
_SHARE = 0.6
"""Of the time for which messages wait afterwards anyway."""
_FEW = 24
"""They stay short where a look finds no more: it may be all that a broker of MQTT 3.1.1 sends in advance, often 20."""
MOST_PAUSE_S = 0.02
_MANY_UNSETTLED = RECEIVE_MAXIMUM // 2
"""So many wait to be acknowledged: long pauses would let the broker wait for us."""
_SOON_S = 0.0001
"""Two looks are at least so far apart, as far as the rate is concerned."""


class Moderation:
    """Judges by the rate between two looks."""

    def __init__(self) -> None:
        self.pause_s = 0.0
        """How long to leave the connection alone; 0: until something comes."""
        self._last = float("-inf")

    def pause_now(self, unsettled: int) -> float:
        """Return ``pause_s``, or less where ``unsettled`` messages are near what the broker sends in advance."""
        return self.pause_s if unsettled < _MANY_UNSETTLED else min(self.pause_s, PAUSE_S)

    def looked(self, at: float, count: int, slack_s: float = 0.0) -> None:
        """Learn that ``count`` messages were there at ``at`` (monotonic seconds), and no more.

        ``slack_s``: for how long they would wait on their way to viewers anyway, if their sender waits for nothing.
        """
        if not count:
            self.pause_s = 0.0
            return
        rate = count / max(at - self._last, _SOON_S)
        self._last = at
        if rate < BUSY_RATE:
            self.pause_s = 0.0
        else:
            by_rate = PAUSE_S if count < _FEW else PAUSE_S * max(rate / _FULL_RATE, 1.0)
            self.pause_s = max(min(by_rate, MOST_PAUSE_S), _SHARE * slack_s)
