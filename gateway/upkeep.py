"""What the daemon does again and again: a turn each quarter of a second, on the hub."""

import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway import runtime
from gateway.chores import Chores
from gateway.clockwatch import ClockWatch
from gateway.devices import Devices
from gateway.journal import Journal
from gateway.live import Live
from gateway.overview import Overview
from gateway.pipeline import Pipeline
from gateway.supervisor import Supervisor

log = logging.getLogger(__name__)

_TURN_S = 0.25
_TURNS_A_LOOK = 4
"""Silences are judged once in so many turns."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The gateway's chores, and the parts that they are done to."""

    chores: Chores
    journal: Journal
    pipeline: Pipeline
    supervisors: Sequence[Supervisor]
    devices: Devices
    live: Live
    overview: Overview
    clock: ClockWatch
    announce: Callable[[str, object], object]
    """Tells an event and its payload to every client."""

    def run(self, stopping: runtime.Event) -> None:
        """Do what is due until ``stopping``; a green thread's body."""
        for count in itertools.count(1):
            self._turn(look=count % _TURNS_A_LOOK == 0)
            if stopping.wait(_TURN_S):
                return

    def _turn(self, *, look: bool) -> None:
        self.chores.do("overview", self.overview.tick)
        self.chores.do("keeping of the ledger", self.keep_ledger)
        self.chores.do("count of watchers", self.live.announce_watchers)
        self.chores.do("look at viewers", self.live.look)
        if look:
            self.chores.do("look at the clock", self._look_at_clock)
            self.chores.do("judging of sources", self._look_at_sources)
            self.chores.do("judging of devices", self._look_at_devices)

    def keep_ledger(self) -> None:
        """Let the journal note what became of the messages so far."""
        self.journal.keep_ledger(self.pipeline.ledger.totals())

    def _look_at_clock(self) -> None:
        step_s = self.clock.look()
        if not step_s:
            return
        log.warning("the clock was set %s by %.0f s", "forward" if step_s > 0 else "back", abs(step_s))
        self.pipeline.skew.forget()
        self.devices.clock_set()
        for supervisor in self.supervisors:
            supervisor.clock_set()
        self.announce("clock", {"time": runtime.now()})

    def _look_at_sources(self) -> None:
        for supervisor in self.supervisors:
            account = self.pipeline.ledger.of(supervisor.config.name)
            self.chores.do("judging of sources", supervisor.check, held=account.in_flight > 0)

    def _look_at_devices(self) -> None:
        for device in self.devices.changed_states():
            self.chores.do("news of devices", self._tell_state, device)

    def _tell_state(self, device: str) -> None:
        self.live.tell(device, "device", self.devices.describe(device))
        self.overview.touch([device])
