"""STATUS of CONTRACT.md: the one answer to "is all well?", for page, API and command line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.devices import Devices
from gateway.journal import Journal, JournalStats
from gateway.pipeline import Pipeline
from gateway.runtime import monotonic
from gateway.supervisor import Supervisor

_TROUBLE = {"down", "failed", "stalled"}


@dataclass(slots=True)
class Status:
    """Everything that status is read from."""

    name: str
    version: str
    started: float
    """Monotonic seconds."""
    supervisors: Sequence[Supervisor]
    pipeline: Pipeline
    devices: Devices
    journal: Journal
    notes: Sequence[str]
    """What the start found that people must know: a damaged journal that was moved aside."""
    clients: Callable[[], int]

    def describe(self, journal: JournalStats) -> dict[str, object]:
        """Return STATUS."""
        problems = self.problems()
        return {
            "gateway": {"name": self.name, "version": self.version, "uptime_s": round(monotonic() - self.started, 1)},
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
            "live": {"lag_ms": self.pipeline.lag_ms()},
        }

    def problems(self) -> list[str]:
        """Return what is wrong, in words; empty if all is well."""
        found = list(self.notes)
        if not self.journal.writable:
            found.append(self.journal.problem)
        for supervisor in self.supervisors:
            if supervisor.state == "up" and supervisor.reason:
                found.append(f"source {supervisor.config.name}: {supervisor.reason}")
            if supervisor.state in _TROUBLE:
                found.append(f"source {supervisor.config.name} is {supervisor.state}: {supervisor.reason}")
            dropped = self.pipeline.ledger.of(supervisor.config.name).dropped
            if dropped:
                found.append(f"source {supervisor.config.name}: {dropped} messages could not be kept since the start")
        return found

    def _source(self, supervisor: Supervisor) -> Mapping[str, object]:
        return {
            "name": supervisor.config.name,
            "type": supervisor.config.type,
            "state": supervisor.state,
            "since": supervisor.since,
            "reason": supervisor.reason,
            "ledger": self.pipeline.ledger.of(supervisor.config.name).as_dict(),
        }
