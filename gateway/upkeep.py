"""What the daemon does again and again, on the hub."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway import runtime
from gateway.absences import Absences
from gateway.chores import Chores
from gateway.clockwatch import ClockWatch
from gateway.devices import Devices
from gateway.heartbeat import Heartbeat
from gateway.journal import Journal
from gateway.live import Live
from gateway.overview import Overview
from gateway.pipeline import Pipeline
from gateway.supervisor import Supervisor

log = logging.getLogger(__name__)

_TURN_S = 0.25
"""What viewers wait for."""
_LOOK_S = 1.0
"""Silences, of sources and of devices, and the clock."""


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
    absences: Absences
    announce: Callable[[str, object], object]
    """Tells an event and its payload to every client."""
    viewers_served: Heartbeat = field(default_factory=Heartbeat)
    sources_judged: Heartbeat = field(default_factory=Heartbeat)

    def serve_viewers(self, stopping: runtime.Event) -> None:
        """Tell viewers what is due, until ``stopping``; a green thread's body."""
        while not stopping.wait(_TURN_S):
            self.chores.do("overview", self.overview.tick)
            self.chores.do("keeping of the ledger", self.keep_ledger)
            self.chores.do("count of watchers", self.live.announce_watchers)
            runtime.sleep()  # what viewers answered while the hub was busy is read first: else all of them seem late
            self.chores.do("look at viewers", self.live.look)
            self.viewers_served.beat()

    def judge_sources(self, stopping: runtime.Event) -> None:
        """Judge sources, devices and the clock, until ``stopping``; a green thread's body, as adapters may hang it."""
        while not stopping.wait(_LOOK_S):
            self.chores.do("look at the clock", self._look_at_clock)
            self.chores.do("judging of sources", self._look_at_sources)
            self.chores.do("judging of devices", self._look_at_devices)
            self.chores.do("summary of refusals", self.pipeline.sum_up)
            self.sources_judged.beat()

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
        self.absences.clock_set(step_s)
        self.announce("clock", {"time": runtime.now()})

    def _look_at_sources(self) -> None:
        for supervisor in self.supervisors:
            account = self.pipeline.ledger.of(supervisor.config.name)
            self.chores.do("judging of sources", supervisor.check, held=account.in_flight > 0)
        self.chores.do("look for sources that are away", self.absences.look, self.supervisors)

    def _look_at_devices(self) -> None:
        for device in self.devices.changed_states():
            self.chores.do("news of devices", self._tell_state, device)

    def _tell_state(self, device: str) -> None:
        self.live.tell(device, "device", self.devices.describe(device))
        self.overview.touch([device])
