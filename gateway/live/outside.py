"""What live needs of others: a way to viewers, and the journal."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from math import inf
from typing import NamedTuple, Protocol

from gateway.journal import Condensed, Stored

Event = tuple[str, object]
"""Its name, and what it carries."""


class Traffic(NamedTuple):
    """Bytes of one connection, counted since it began."""

    handed: int = 0
    """To the connection, wherever they are now."""
    acknowledged: int = 0
    """By the system at the other end."""
    answered: int = 0
    """By the viewer itself: what was handed before the last ``ask`` that it answered."""
    asked: bool = False
    """Whether it still has to answer one."""
    answered_at: float = inf
    """When it answered last, in monotonic seconds; inf: whenever that is seen."""
    way_s: float = 0.0
    """Of an answer's time, what the way takes however little is on it."""


class Transport(Protocol):
    """What live needs of Socket.IO."""

    def send(self, viewer: str, event: str, payload: object) -> None:
        """Send one event to one viewer."""

    def send_all(self, viewer: str, events: Sequence[Event]) -> None:
        """Send events to one viewer, in as few writes as they take."""

    def send_room(self, room: str, event: str, payload: object) -> Sequence[str]:
        """Send one event to a room; return those for whom too much waits to take it."""

    def together(self) -> AbstractContextManager[None]:
        """Return within what to send to many rooms, so that it goes to each viewer in few writes."""

    def enter(self, viewer: str, room: str) -> None:
        """Put a viewer into a room."""

    def leave(self, viewer: str, room: str) -> None:
        """Take a viewer out of it."""

    def progress(self, viewer: str) -> tuple[int, int]:
        """Return ``handed`` and ``answered`` of its traffic, for a fraction of the time."""

    def traffic(self, viewer: str) -> Traffic:
        """Return what went to this viewer."""

    def ask(self, viewer: str) -> bool:
        """Ask a viewer to answer when it has handled all that was handed before; False: it can't be asked now."""


class History(Protocol):
    """What live needs of the journal, called off the hub; both raise JournalDown."""

    def after(self, device: str, after: int, upto: int | None, limit: int) -> list[Stored]:
        """Return readings with ``after < seq <= upto`` in order."""

    def condensed(self, device: str, after: int, upto: int, budget: int) -> Condensed:
        """Return of these readings what fits into about ``budget`` bytes, extremes first."""
