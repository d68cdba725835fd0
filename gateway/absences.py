"""Notices when a source is away, and when the clock leaps ahead: the journal keeps it, and every page is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.journal import Absence, Journal
from gateway.runtime import is_set, monotonic, now
from gateway.supervisor import Supervisor

_LEAST_S = 5.0
"""What is shorter leaves no hole that anybody sees."""
_AWAY = {"down", "failed", "stalled"}
"""A source that is starting may be there; and one that stalls is away only while it isn't connected."""


class _Begun(NamedTuple):
    since: float
    """Monotonic seconds."""
    told: Absence | None
    """As the journal has it; None: the clock wasn't set."""


@dataclass(slots=True)
class Absences:
    """Looks at the sources about once a second; hub thread only."""

    journal: Journal
    announce: Callable[[str, object], object]
    """Tells an event and its payload to every client."""
    _away: dict[str, _Begun] = field(default_factory=dict)
    """Sources that are away, by name."""
    _met: dict[Supervisor, float] = field(default_factory=dict)
    """When each was first looked at, or the look before that: one that was never connected is away since then."""
    _looked_at: float = field(default_factory=monotonic)

    def look(self, supervisors: Sequence[Supervisor]) -> None:
        """Note which sources went away or came back since the last look."""
        self._met = {one: self._met.get(one, self._looked_at) for one in supervisors}
        self._looked_at = monotonic()
        for one in supervisors:
            self._judge(one)
        for name in self._away.keys() - {one.config.name for one in supervisors}:
            self._end(name, self._looked_at)

    def clock_set(self, step_s: float) -> None:
        """Note by how much the clock was set, if that leaves a hole: it was right before, and is further now."""
        if step_s >= _LEAST_S and is_set(now() - step_s):
            self._announce(self.journal.keep_absence("", "clock", step_s, 0.0))

    def _judge(self, one: Supervisor) -> None:
        name = one.config.name
        if one.parted_at is None or one.state == "disabled":
            if name in self._away:
                self._end(name, one.changed_at)
        elif one.state in _AWAY and name not in self._away:
            since = max(one.parted_at, self._met[one])
            if self._looked_at - since >= _LEAST_S:
                told = self.journal.keep_absence(name, "away", self._looked_at - since)
                self._away[name] = _Begun(since, told)
                self._announce(told)

    def _end(self, name: str, at: float) -> None:
        since, told = self._away.pop(name)
        until = at if at > since else self._looked_at  # one that stalled before stays so until it is heard
        ended = self.journal.keep_absence(name, "away", self._looked_at - since, self._looked_at - until)
        self._announce(told._replace(until=ended.until) if told and ended else ended)

    def _announce(self, absence: Absence | None) -> None:
        if absence is not None:
            self.announce("absence", absence.describe())
