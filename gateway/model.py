"""What flows through the gateway: a raw message, its readings, and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import orjson
from pydantic import AfterValidator, Field

Value = bool | int | float | str
"""A metric's value: finite if a number, at most ``MAX_TEXT`` characters if text."""

MAX_TEXT = 256
MAX_METRICS = 256
MAX_METRIC_NAME = 256
MAX_DEVICE_ID = 128


def check_device_id(name: str) -> str:
    """Return ``name`` if it can name a device.

    Raises
    ------
    ValueError
        In words that fit behind ``device id:``.
    """
    if not name:
        raise ValueError("is empty")
    if len(name) > MAX_DEVICE_ID:
        raise ValueError(f"has {len(name)} characters, at most {MAX_DEVICE_ID} are allowed")
    if name != name.strip():
        raise ValueError("has blanks at its start or end")
    if not name.isprintable():
        raise ValueError("has characters that can't be printed")
    if any(sign in name for sign in "/+#"):
        raise ValueError("has one of / + #")
    return name


def check_metric_name(name: str) -> str:
    """Return ``name`` if it can name a metric.

    Raises
    ------
    ValueError
        In words that fit behind ``metric name:``.
    """
    if not name:
        raise ValueError("is empty")
    if len(name) > MAX_METRIC_NAME:
        raise ValueError(f"has {len(name)} characters, at most {MAX_METRIC_NAME} are allowed")
    if not name.isprintable():
        raise ValueError("has characters that can't be printed")
    return name


MetricName = Annotated[
    str,
    AfterValidator(check_metric_name),
    Field(description=f"1 to {MAX_METRIC_NAME} printable characters"),
]

DeviceId = Annotated[
    str,
    AfterValidator(check_device_id),
    Field(description="1 to 128 printable characters without / + # and without outer blanks"),
]


def expects_nothing() -> None:
    """Settle a message whose sender expects no answer."""


@dataclass(slots=True)
class RawMessage:
    """Bytes as a source delivered them; an adapter makes these, looks no further, and changes none it handed over."""

    # Not frozen: that would be 2 µs more for each.

    payload: bytes
    arrived: float
    """Unix seconds."""
    topic: bytes = b""
    """As it was on the wire; empty where the source has no topics."""
    settle: Callable[[], None] = expects_nothing
    """Called once, on the hub, after the commit or the reject: acknowledges to the sender."""
    acknowledged: bool = False
    """Whether the sender keeps the message until ``settle`` (MQTT QoS 1 and 2)."""
    packet_id: int | None = None
    """The sender's number for this delivery (MQTT packet identifier), where it may come again."""
    redelivered: bool = False
    """The sender says that it may have sent this before (MQTT's DUP flag)."""
    retained: bool = False
    """The broker kept this and shows it to a new subscriber: nobody has said it now."""
    flaw: str = ""
    """Why this can't be a message (``line longer than 4096 bytes``): intake rejects it unread."""
    size: int | None = None
    """Bytes of the whole payload, where ``payload`` is only its beginning."""

    @property
    def whole_size(self) -> int:
        """Bytes of the payload as it was sent."""
        return len(self.payload) if self.size is None else self.size


@dataclass(slots=True)
class Reading:
    """One observation of one device, encoded once; ``seq`` comes with the commit."""

    device: str
    ts: float
    """Unix seconds: the source's time if it gave one, else the arrival's."""
    values: dict[str, Value]
    body: bytes = field(repr=False)
    """``{"ts":…,"values":{…}}`` in JSON: what is stored, sent and replayed."""
    seq: int | None = None
    retained: bool = False
    """From a retained message: no sign of life of the device."""

    @classmethod
    def from_body(cls, device: str, seq: int, body: bytes) -> "Reading":
        """Return a stored reading as it was."""
        fields = orjson.loads(body)
        return cls(device, fields["ts"], fields["values"], body, seq, fields.get("retained", False))

    def wire(self) -> bytes:
        """Return the JSON of docs/contract.md's reading."""
        return wire(self.seq, self.body)


def encode_body(ts: float, values: dict[str, Value], **marks: object) -> bytes:
    """Return the stored form of a reading, without its ``seq``.

    ``marks`` come after the values: ``clock="unset"`` where ``ts`` is of a clock that was not set,
    ``retained=True`` where the broker had kept the message.
    """
    if marks:
        return orjson.dumps({"ts": ts, "values": values, **marks})
    # In pieces that are gone at once: orjson begins with 1 KB for each result and gives back what is too much, so that
    # those that are kept lie far apart in memory. To make each takes three times as long then.
    return b'{"ts":%b,"values":%b}' % (orjson.dumps(ts), orjson.dumps(values))


def wire(seq: int | None, body: bytes) -> bytes:
    """Splice ``seq`` into a stored body: ``{"seq":7,"ts":…,"values":{…}}``."""
    return b'{"seq":null,' + body[1:] if seq is None else b'{"seq":%d,%s' % (seq, body[1:])


class Outcome(StrEnum):
    """What became of a message; the ledger counts each.

    To look a member up takes 0.15 µs in CPython 3.11: where it is done for each message, do it once.
    """

    __hash__ = str.__hash__  # Enum's own is written in Python

    STORED = "stored"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    DROPPED = "dropped"


@dataclass(slots=True)
class Entry:
    """One message after intake, on its way through the journal to its end."""

    source: str
    message: RawMessage
    outcome: Outcome
    readings: Sequence[Reading] = ()
    """Of a STORED message, at least one; else none."""
    reason: str = ""
    """Of a REJECTED message, for the sensor's owner."""
    profile: str | None = None
    """The profile that the readings passed, by name."""
    shown: bool = False
    """Viewers have seen its readings, without ``seq``, while it waited for the disk."""
    taken: float = 0.0
    """Monotonic seconds of its arrival: no step of the clock makes it late."""
    booted: float | None = None
    """When this boot began, in Unix seconds by the clock that stamped the arrival, where that was not set."""
    digest: bytes | None = None
    """Names the delivery together with the packet id, where it may come again."""
    availability: tuple[str, bool] | None = None
    """Of an IGNORED message that says whether a device is there: which, and whether."""
    rule: str | None = None
    """What a REJECTED message was held against: the profile, else the route's topic."""
    replays: int | None = None
    """The reject that was taken in again as this message: once stored, it is one no more."""
    ended: Callable[[Outcome, str], None] | None = None
    """Called on the hub with the outcome, and the reason or error, by whom this was asked for."""
    weight: int = 0
    """About how many bytes of memory it takes while it waits for the disk."""
