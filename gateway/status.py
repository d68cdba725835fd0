"""STATUS of docs/contract.md: the one answer to "is all well?", for page, API and command line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.devices import Devices
from gateway.durations import in_words
from gateway.journal import Journal, JournalStats
from gateway.pipeline import Pipeline
from gateway.runtime import Event, HubLag, is_set, monotonic, now
from gateway.skew import MUCH_S
from gateway.soundings import Soundings
from gateway.supervisor import Supervisor

_TROUBLE = {"down", "failed", "stalled"}
_STUCK_S = 10.0
"""A commit that takes longer, while messages wait, is one that the disk doesn't answer."""


@dataclass(slots=True)
class Status:
    """Everything that status is read from."""

    name: Callable[[], str]
    """A reload may change it."""
    version: str
    started: float
    """Monotonic seconds."""
    supervisors: Sequence[Supervisor]
    pipeline: Pipeline
    devices: Devices
    journal: Journal
    notes: Sequence[str]
    """What people must know until the next start: a damaged journal that was moved aside, a defect of ours."""
    hanging: Callable[[], Sequence[str]]
    """Which of the gateway's own stages make no progress, in words."""
    idle: str
    """What is wrong where no source is enabled, in words."""
    clients: Callable[[], int]
    hub: HubLag
    soundings: Soundings
    stopping: Event
    """Set once nothing is taken in any more."""

    def describe(self, journal: JournalStats) -> dict[str, object]:
        """Return STATUS."""
        problems = self.problems()
        if journal.problem and journal.problem not in problems:
            problems.append(journal.problem)
        return {
            "gateway": {"name": self.name(), "version": self.version, "uptime_s": round(monotonic() - self.started, 1)},
            "healthy": not problems,
            "problems": problems,
            "sources": [self._source(supervisor) for supervisor in self.supervisors],
            "ledger": self.pipeline.ledger.total(),
            "devices": len(self.devices),
            "clients": self.clients(),
            "journal": {
                "readings": journal.readings,
                "bytes": journal.bytes,
                "oldest": journal.oldest_ts,
                "writable": self.journal.writable,
            },
            "live": {"lag_ms": self.pipeline.meters.lag_ms()},
            "hub_lag_ms": self.hub.lag_ms(),
            "hub_long_turns": self.hub.long_turns,
        }

    def unready(self) -> list[str]:
        """Return why readings can't be taken and kept, in words, from memory; empty: they can."""
        if self.stopping.is_set():
            return ["the gateway is stopping"]
        if not self.journal.writable:
            return [self.journal.problem]
        reasons, stuck_s = list(self.hanging()), self.soundings.stuck_s()
        if stuck_s >= _STUCK_S:
            waiting = self.pipeline.ledger.in_flight
            reasons.append(f"{waiting} messages wait for the disk, and none came to its end for {stuck_s:.0f} s")
        return reasons

    def problems(self) -> list[str]:
        """Return what is wrong, in words; empty if all is well."""
        found = [*self.hanging(), *self.notes]
        if self.journal.problem:
            found.append(self.journal.problem)
        if not self._enabled():
            found.append(self.idle)
        if not is_set(now()):
            found.append("the clock is not set: readings are stamped with times that are put right once it is")
        for supervisor in self.supervisors:
            if supervisor.state == "up" and supervisor.reason:
                found.append(f"source {supervisor.config.name}: {supervisor.reason}")
            if supervisor.state in _TROUBLE:
                found.append(f"source {supervisor.config.name} is {supervisor.state}: {supervisor.reason}")
            dropped = self.pipeline.ledger.of(supervisor.config.name).dropped_since_start
            skew_s = self.pipeline.skew.of(supervisor.config.name)
            if skew_s is not None and abs(skew_s) > MUCH_S:
                found.append(f"source {supervisor.config.name}: {_of_clock(skew_s)}")
            if dropped:
                found.append(f"source {supervisor.config.name}: {dropped} messages could not be kept since the start")
        return found

    def summary(self) -> str:
        """Return how it goes, in a line: the same words while nothing changes."""
        enabled = self._enabled()
        up = sum(1 for supervisor in enabled if supervisor.state == "up")
        return "; ".join([f"{up} of {len(enabled)} sources up", *self.problems()])

    def _enabled(self) -> list[Supervisor]:
        return [supervisor for supervisor in self.supervisors if supervisor.config.enabled]

    def _source(self, supervisor: Supervisor) -> Mapping[str, object]:
        return {
            "name": supervisor.config.name,
            "type": supervisor.config.type,
            "state": supervisor.state,
            "since": supervisor.since,
            "reason": supervisor.reason,
            "skew_s": self.pipeline.skew.of(supervisor.config.name),
            "ledger": self.pipeline.ledger.of(supervisor.config.name).as_dict(),
        }


def _of_clock(skew_s: float) -> str:
    if skew_s < 0:
        return f"its times are {in_words(-skew_s)} ahead of the gateway's; one of the clocks is wrong"
    return f"its times are {in_words(skew_s)} behind the gateway's: its clock is wrong, or its messages come late"
