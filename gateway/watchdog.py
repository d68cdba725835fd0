"""The sign of life: given to systemd only while every stage of the gateway makes progress."""

import logging
from collections.abc import Callable, Mapping

from gateway.chores import Chores
from gateway.notify import Notifier
from gateway.runtime import Event, monotonic, stacks

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_UNWATCHED_S = 60.0
"""Taken for systemd's ``WatchdogSec`` where there is none: a hanging stage is told all the same."""


class Watchdog:
    """Looks at all stages; hub thread only, so that a hub that hangs gives no sign either.

    A source that is down hangs nothing. What restarts the gateway is systemd, which hears nothing any more.

    Parameters
    ----------
    notifier
        Where the sign of life goes.
    stages
        By the name that people know: seconds since the stage last made progress.
    summary
        How it goes, in a line.
    """

    def __init__(
        self,
        notifier: Notifier,
        stages: Mapping[str, Callable[[], float]],
        summary: Callable[[], str],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        period_s = notifier.watchdog_s or _UNWATCHED_S
        self._notifier = notifier
        self._stages = stages
        self._summary = summary
        self._clock = clock
        self._late_after_s = period_s / 2
        self._sign_each_s = period_s / 4
        self._look_s = min(_LOOK_S, self._late_after_s / 4)
        self._signed_at = self._looked_at = clock()
        self.problems: list[str] = []
        """Which stages hang, in words."""

    def run(self, stopping: Event, chores: Chores) -> None:
        """Look until ``stopping``, whatever may fail once; a green thread's body."""
        while not stopping.wait(self._look_s):
            chores.do("look at its stages", self.look)

    def look(self) -> None:
        """Judge the stages, and give the sign of life if it is due and all go on."""
        at = self._clock()
        # After a pause of the whole process, none of them has had its turn yet.
        if at - self._looked_at < self._late_after_s / 2:
            self._judge()
        self._looked_at = at
        if not self.problems and at - self._signed_at >= self._sign_each_s:
            self._signed_at = at
            self._notifier.alive()
        self._notifier.status(self._summary())

    def _judge(self) -> None:
        ages = {name: age_s() for name, age_s in self._stages.items()}
        late = {name: age_s for name, age_s in ages.items() if age_s > self._late_after_s}
        is_news = bool(late) and not self.problems
        if self.problems and not late:
            log.warning("every stage of the gateway goes on again")
        self.problems = [f"the gateway's {name} has made no progress for {age_s:.0f} s" for name, age_s in late.items()]
        if is_news:
            text = "%s. What all threads were doing:"
            log.error(text, "; ".join(self.problems), extra={"detail": stacks()})
