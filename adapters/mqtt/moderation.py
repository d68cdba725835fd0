"""When to look at a busy connection again: what comes meanwhile then comes in company.

At a thousand messages a second nearly all of the cost is per wake-up: of the hub, of the journal's thread, of the
hub again, of each viewer. So a connection on which much comes is left alone for a few milliseconds, as network
cards do with their interrupts. Where it is quiet, nothing waits.

Where nobody would see messages sooner, as they wait for company on their way to viewers or nobody watches, the
connection is left alone for so long, as soon as there is company to be had.
"""

from collections.abc import Sequence

from adapters.mqtt.packets import RECEIVE_MAXIMUM
from gateway.model import RawMessage

BUSY_RATE = 200.0
"""Messages a second: past it the connection is left alone between two looks."""
PAUSE_S = 0.004
_FULL_RATE = 2000.0
"""Past it the pauses grow with the rate: nobody sees the difference in so many readings, and each is cheaper."""
_COMPANY = 1.5
"""Messages that are to be expected in it make it worth to wait as long as nobody sees it: two, or nearly."""
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
        self._was_early = False
        """Whether messages wait now that would have been looked at as they come, if there were no slack."""

    def pause_now(self, unsettled: int) -> float:
        """Return ``pause_s``, or less where ``unsettled`` messages are near what the broker sends in advance."""
        return self.pause_s if unsettled < _MANY_UNSETTLED else min(self.pause_s, PAUSE_S)

    def looked(self, at: float, count: int, slack_s: float = 0.0) -> None:
        """Learn that ``count`` messages were there at ``at`` (monotonic seconds), and no more.

        ``slack_s``: for how long what comes next may wait, and nobody sees it later.
        """
        rate = count / max(at - self._last, _SOON_S)
        by_rate, by_slack = _by_rate(rate, count), slack_s if rate * slack_s >= _COMPANY else 0.0
        self.pause_s = max(by_rate, by_slack)
        self._was_early = by_slack > 0.0 == by_rate
        if count:
            self._last = at

    def spread(self, messages: Sequence[RawMessage], at: float) -> None:
        """Stamp messages as if they had come evenly since the last look, where they had to wait for company.

        They are so few that each was stamped as it came, while somebody was in a hurry; nobody looked at them yet.
        Only the first of a look are stamped so: what else it brings came after these.
        """
        if self._was_early and messages:
            step_s = (at - self._last) / len(messages)
            for later, message in enumerate(reversed(messages)):
                message.arrived -= int(step_s * later * 1e6) / 1e6
        self._was_early = False


def _by_rate(rate: float, count: int) -> float:
    if rate < BUSY_RATE:
        return 0.0
    return PAUSE_S if count < _FEW else min(PAUSE_S * max(rate / _FULL_RATE, 1.0), MOST_PAUSE_S)
