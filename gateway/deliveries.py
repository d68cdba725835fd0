"""Which deliveries were taken in, to recognise one that comes again.

A sender that keeps a message until it is acknowledged sends it again when the acknowledgement may
have been lost: with the DUP flag, the same packet id and the same bytes. All three must agree, as
each alone is met in new messages too (docs/decisions/0002-recognising-duplicates.md).
"""

from collections import OrderedDict, defaultdict
from hashlib import blake2b

from gateway.model import RawMessage

KEPT = 4096
"""Deliveries remembered a source: more than any broker has on their way to one client at a time,
less than the 65535 packet ids, so that an id used again soon means another message."""
_DIGEST_BYTES = 8


def digest_of(message: RawMessage) -> bytes:
    """Return 8 bytes that stand for the topic and payload of ``message``."""
    return blake2b(b"%b\0%b" % (message.topic, message.payload), digest_size=_DIGEST_BYTES).digest()


class Deliveries:
    """The newest deliveries of each source by packet id; older ones are forgotten."""

    def __init__(self) -> None:
        self._sources: defaultdict[str, OrderedDict[int, bytes]] = defaultdict(OrderedDict)

    def seen(self, source: str, packet_id: int, digest: bytes) -> bool:
        """Tell whether the newest delivery with this packet id is this one."""
        return self._sources[source].get(packet_id) == digest

    def remember(self, source: str, packet_id: int, digest: bytes) -> None:
        """Keep a delivery, in the place of an older one with this packet id."""
        kept = self._sources[source]
        kept[packet_id] = digest
        kept.move_to_end(packet_id)
        if len(kept) > KEPT:
            kept.popitem(last=False)

    def forget(self, source: str, packet_id: int, digest: bytes) -> None:
        """Drop a delivery that could not be kept, so that it is taken in when it comes again."""
        if self.seen(source, packet_id, digest):
            del self._sources[source][packet_id]
