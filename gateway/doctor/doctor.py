"""All checks at once, each bounded in time."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.doctor import addresses, environment, journal, machine, service, sources, state
from gateway.doctor.facts import Facts
from gateway.findings import Finding, Severity, error, warning

Check = Callable[[Facts], Iterable[Finding]]

TIMEOUT_S = 20.0
"""For one check; a source's has several waits of a few seconds."""
_THREADS = 16

_FIELDS: Sequence[tuple[str, Check]] = (
    ("configuration", sources.configuration),
    ("environment", environment.check),
    ("machine", machine.check),
    ("state folder", state.check),
    ("journal", journal.check),
    ("address", addresses.check),
    ("service", service.check),
)
_ORDER = tuple(Severity)


@dataclass(slots=True)
class _Job:
    """One check, what it has found so far, and how it ended."""

    about: str
    check: Callable[[], Iterable[Finding]]
    found: list[Finding] = field(default_factory=list)
    began: float | None = None
    ended: bool = False
    defect: Exception | None = None

    def run(self) -> None:
        """Run in a thread of its own; never raises, never logs."""
        self.began = time.monotonic()
        try:
            for finding in self.check():
                self.found.append(finding)
        except Exception as defect:  # noqa: BLE001  told as a finding
            self.defect = defect
        self.ended = True

    def is_over(self) -> bool:
        """Tell whether it ended, or has taken all its time."""
        return self.ended or (self.began is not None and time.monotonic() - self.began > TIMEOUT_S)

    def results(self) -> list[Finding]:
        """Return what it found, and whether that is all."""
        found = list(self.found)
        if self.defect is not None:
            text = f"the check of it failed: {type(self.defect).__name__}: {self.defect}"
            found.append(error("check-failed", self.about, text, "this is a defect of doctor: please report it"))
        elif not self.ended:
            text = f"looking at it took longer than {TIMEOUT_S:g} s; what else may be wrong with it wasn't found"
            remedy = "look for a name server, a network disk or a device that doesn't answer, and try again"
            found.append(warning("check-unfinished", self.about, text, remedy))
        return found


class Doctor:
    """Looks at one gateway and its machine.

    Parameters
    ----------
    facts
        What is known already.
    """

    def __init__(self, facts: Facts) -> None:
        checks = [*_FIELDS, *sources.checks(facts)]
        self._jobs = [_Job(about, partial(check, facts)) for about, check in checks]

    @property
    def fields(self) -> Sequence[str]:
        """What is looked at."""
        return [job.about for job in self._jobs]

    def examine(self) -> list[Finding]:
        """Return everything that was found, the worst first."""
        waiting: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        for job in self._jobs:
            waiting.put(job)
        # Daemon threads: one that hangs in a name server's silence doesn't keep the program from ending.
        for _ in range(min(_THREADS, len(self._jobs))):
            threading.Thread(target=_work, args=(waiting,), daemon=True).start()
        deadline = time.monotonic() + TIMEOUT_S * (1 + len(self._jobs) // _THREADS)
        while not all(job.is_over() for job in self._jobs) and time.monotonic() < deadline:
            time.sleep(0.01)
        found = [finding for job in self._jobs for finding in job.results()]
        return sorted(found, key=lambda finding: _ORDER.index(finding.severity))


def _work(waiting: "queue.SimpleQueue[_Job]") -> None:
    while True:
        try:
            waiting.get_nowait().run()
        except queue.Empty:
            return
