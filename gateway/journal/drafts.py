"""What is kept of a message that was refused."""

from hashlib import blake2b
from typing import NamedTuple

from gateway.model import Entry

MOST_PAYLOAD = MOST_TOPIC = 4096
"""Bytes that are kept of one."""
ROW_BYTES = 96
"""About what a row costs beside its texts."""
_DIGEST_BYTES = 16


class Draft(NamedTuple):
    """A row of ``rejects`` that has no ``id`` yet; the columns in their order."""

    first_ts: float
    digest: bytes
    source: str
    reason: str
    rule: str | None
    flawed: bool
    """It was no message for a reason outside its bytes: what there is of it may not be read as one."""
    size: int
    truncated: bool
    topic: bytes
    payload: bytes

    @classmethod
    def of(cls, entry: Entry) -> "Draft":
        """Return what is kept of a rejected entry."""
        message = entry.message
        topic, payload = message.topic[:MOST_TOPIC], message.payload[:MOST_PAYLOAD]
        return cls(
            message.arrived,
            digest_of(entry),
            entry.source,
            entry.reason,
            entry.rule,
            bool(message.flaw),
            message.whole_size,
            len(payload) < message.whole_size or len(topic) < len(message.topic),
            topic,
            payload,
        )

    @property
    def cost(self) -> int:
        """About how many bytes of the file it takes."""
        return ROW_BYTES + len(self.topic) + len(self.payload) + len(self.reason)


class Repeats(NamedTuple):
    """How often a reject came again, and when it last did."""

    last_ts: float
    times: int

    def __add__(self, other: "Repeats") -> "Repeats":  # type: ignore[override]  # not as tuples add
        return Repeats(max(self.last_ts, other.last_ts), self.times + other.times)


def digest_of(entry: Entry) -> bytes:
    """Return 16 bytes that stand for source, topic, payload and reason: a reject with the same is the same."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    message = entry.message
    parts = [entry.source.encode(), message.topic, message.payload, entry.reason.encode()]
    if message.size is not None:  # what begins alike may go on otherwise
        parts.append(b"%d" % message.size)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
