"""What the daemon answers: shapes of docs/contract.md, as far as they are shown."""

from typing import Literal, NotRequired, TypedDict

Value = bool | int | float | str


class Ledger(TypedDict):
    """What became of the messages."""

    received: int
    stored: int
    rejected: int
    duplicate: int
    ignored: int
    dropped: int
    in_flight: int


class Gateway(TypedDict):
    """Which gateway this is."""

    name: str
    version: str
    uptime_s: float


class Source(TypedDict):
    """One adapter."""

    name: str
    type: str
    state: str
    since: float
    reason: str | None
    skew_s: NotRequired[float | None]
    """Seconds by which its own times are behind the gateway's; None: it gives none."""
    ledger: Ledger


class JournalState(TypedDict):
    """What is kept."""

    readings: int
    bytes: int
    oldest: float | None
    writable: bool


class Lag(TypedDict):
    """Milliseconds from arrival to emission."""

    p50: float
    p99: float


class LiveState(TypedDict):
    """How fast readings go out."""

    lag_ms: Lag


class Status(TypedDict):
    """STATUS."""

    gateway: Gateway
    healthy: bool
    problems: list[str]
    sources: list[Source]
    ledger: Ledger
    devices: int
    clients: int
    journal: JournalState
    live: LiveState


class Reloaded(TypedDict):
    """RELOAD, as far as it is read here."""

    complete: bool
    words: list[str]
    problems: list[str]


class Reading(TypedDict):
    """One observation."""

    seq: int | None
    ts: float
    values: dict[str, Value]


class Metric(TypedDict):
    """What is known of a metric."""

    type: str
    unit: NotRequired[str]
    label: NotRequired[str]


class Device(TypedDict):
    """DEVICE."""

    id: str
    source: str
    state: Literal["online", "stale", "offline"]
    last_seen: float
    last: Reading | None
    rate: float
    latest: dict[str, Value]
    metrics: dict[str, Metric]


class Devices(TypedDict):
    """All of them."""

    devices: list[Device]


class Reject(TypedDict):
    """REJECT: a message that was refused."""

    id: int
    source: str
    topic: str
    payload: str | None
    payload_base64: str
    size: int
    truncated: bool
    reason: str
    rule: str | None
    first: float
    last: float
    count: int


class Rejects(TypedDict):
    """The newest of them, and how many there are."""

    rejects: list[Reject]
    total: int


class ReplayedAll(TypedDict):
    """What became of all that were taken in again."""

    replayed: int
    stored: int
    rejected: int
    skipped: int


class Batch(TypedDict):
    """One line of ``/tail``."""

    device: str
    readings: list[Reading]
