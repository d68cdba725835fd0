"""What the journal hands out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from gateway.ledger import Totals
from gateway.model import Entry


class Rebased(NamedTuple):
    """Readings that an unset clock had stamped, and that have their true times now."""

    device: str
    first: int
    """Of ``seq``."""
    last: int
    by_s: float
    """Seconds that were added."""
    newest: "Stored | None"
    """The device's newest reading, if it is among them."""


@dataclass(slots=True)
class Committed:
    """Entries that came to their end together, in the order in which they were appended."""

    entries: list[Entry]
    error: str = ""
    """Why their readings could not be kept, for people: every ``seq`` is None then, and nothing that
    its sender still keeps may be settled."""
    kept: bool = False
    """They are not at their end: they wait for the disk, and come again once it takes writes."""
    rebased: Rebased | None = None
    took_s: float = 0.0
    """The commit; 0: there was none."""


class Stored(NamedTuple):
    """One reading as the journal has it."""

    seq: int
    ts: float
    """Unix seconds: the source's time if it gave one, else the arrival's."""
    body: bytes
    """JSON, as ``model.encode_body`` made it."""


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A device of which the journal has readings: all from ``oldest_seq`` to ``last.seq``."""

    device: str
    source: str
    oldest_seq: int
    last: Stored
    profile: str | None
    """Which its newest reading passed, by name."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a journal held when it was opened."""

    devices: list[KnownDevice]
    deliveries: list[tuple[str, int, bytes]]
    """Source, packet id and digest of the last deliveries, oldest first."""
    problem: str = ""
    """What people should know: a damaged file was set aside, and where it is."""
    refused: str = ""
    """Why the file could be read and not written, for people; empty: it could."""
    ledger: Mapping[str, Totals] = field(default_factory=dict)
    """How many messages of each source had come to which end."""
    note: str = ""
    """What people may like to know, and is no problem: an older gateway's file was taken over."""
    resume: Mapping[str, int] = field(default_factory=dict)
    """Past which ``seq`` devices go on of which a damage left no reading, by name; ``""``: all others that are new."""
    kept: Mapping[str, int] = field(default_factory=dict)
    """Up to which ``seq`` there were readings before they leapt there, by name, as far as blocks have them."""


@dataclass(frozen=True, slots=True)
class KeptReject:
    """A message that was refused, as the journal has it."""

    id: int
    first_ts: float
    """Unix seconds of its arrival."""
    source: str
    reason: str
    rule: str | None
    """What it was held against, by name."""
    flawed: bool
    """It was no message: ``reason`` is why."""
    size: int
    """Bytes of the whole payload."""
    truncated: bool
    """Not all of topic and payload is here."""
    topic: bytes
    payload: bytes
    last_ts: float
    count: int
    """How often it came."""

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> "KeptReject":
        """Return what SQLite, which knows no booleans, has in these columns."""
        kept = cls(*row)
        return replace(kept, flawed=bool(kept.flawed), truncated=bool(kept.truncated))


AbsenceReason = Literal["stopped", "away", "clock", "restored"]
"""The gateway wasn't running; a source couldn't be reached; the gateway's clock was set ahead; what came then isn't in
the backup that was restored."""


class Absence(NamedTuple):
    """A stretch of time of which there can't be readings, or none that came in time."""

    source: str
    """Empty: of the gateway itself."""
    reason: AbsenceReason
    since: float
    """Unix seconds."""
    until: float | None
    """None: it isn't over."""

    def describe(self) -> dict[str, object]:
        """Return ABSENCE of docs/contract.md."""
        return {"source": self.source or None, "reason": self.reason, "from": self.since, "to": self.until}


@dataclass(frozen=True, slots=True)
class JournalStats:
    """The size of a journal."""

    readings: int
    bytes: int
    """On the disk, with what is not yet moved from the write-ahead log into the database."""
    oldest_ts: float | None
    """Unix seconds: the least ``ts`` in the devices' first blocks, and of first readings of those that have no block;
    None: there are no readings."""
    problem: str = ""
    """Why it can't be read now, for people: the rest is from before."""
