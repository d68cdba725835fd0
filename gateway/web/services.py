"""What the web needs of the gateway; the daemon fills it in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.devices import Devices
from gateway.journal import Absence, JournalStats, Stored
from gateway.live import Live
from gateway.rejects import Rejects


class History(Protocol):
    """The journal's queries; this green thread waits, the hub goes on. All raise JournalDown."""

    def page(  # noqa: PLR0913  one parameter a filter of the API
        self,
        device: str,
        *,
        after: int | None,
        start_ts: float | None,
        end_ts: float | None,
        limit: int,
        descending: bool,
        most_bytes: int,
    ) -> Sequence[Stored]:
        """Return at most ``limit`` readings, none after the one whose body goes past ``most_bytes``."""

    def chart(
        self, device: str, *, metric: str, start_ts: float | None, end_ts: float | None, most: int
    ) -> Sequence[Stored]:
        """Return the readings of a metric, with it alone, as about ``most``, with the extremes."""

    def absences(self, source: str, start_ts: float | None, end_ts: float | None, limit: int) -> Sequence[Absence]:
        """Return when this source or the gateway was away in a range of time: the newest, oldest first."""

    def stats(self) -> JournalStats:
        """Return the journal's size."""


@dataclass(frozen=True, slots=True)
class Services:
    """The gateway as pages, API, control socket and Socket.IO see it."""

    name: Callable[[], str]
    """Of the gateway; a reload may change it."""
    version: str
    configuration: Path
    """The file, for whoever has to edit it."""
    devices: Devices
    live: Live
    history: History
    rejects: Rejects
    status: Callable[[JournalStats], dict[str, object]]
    unready: Callable[[], Sequence[str]]
    """Why readings can't be taken and kept, in words; empty: they can."""
    metrics: Callable[[str], tuple[bytes, str]]
    """What Prometheus scrapes, in a format that an Accept header names, and its content type."""
    reload: Callable[[], dict[str, object] | None]
    """Reads the configuration again, and returns RELOAD; None: that isn't over yet."""
