"""What was taken in, to recognise a delivery that comes again, and a retained message that says nothing new.

A sender that keeps a message until it is acknowledged sends it again when the acknowledgement may
have been lost: with the DUP flag, the same packet id and the same bytes. All three must agree, as
each alone is met in new messages too (docs/decisions/0002-recognising-duplicates.md).

A broker shows its retained messages again at a new subscription; those that say what their topic said
last are known already.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from hashlib import blake2b

from gateway.model import RawMessage

KEPT = 4096
"""Settled deliveries remembered a source: more than a broker has on their way that holds to a limit, less
than the 65535 packet ids, so that an id used again soon means another message."""
_DIGEST_BYTES = 8
TOPICS_KEPT = 4096
"""Topics a source whose last message is remembered; a retained one of another is taken in once more."""


def digest_of(message: RawMessage) -> bytes:
    """Return 8 bytes that stand for the topic and payload of ``message``."""
    return blake2b(b"%b\0%b" % (message.topic, message.payload), digest_size=_DIGEST_BYTES).digest()


class Deliveries:
    """The deliveries of each source by packet id, the newest message of each topic.

    Of deliveries that were settled the older ones are forgotten; one that was not settled never is:
    these have a bound in the packet ids, and in what the journal lets wait.
    """

    def __init__(self) -> None:
        self._topics: defaultdict[str, OrderedDict[int, int]] = defaultdict(OrderedDict)
        self._unsettled: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        self._sources: defaultdict[str, OrderedDict[int, bytes]] = defaultdict(OrderedDict)

    def seen(self, source: str, packet_id: int, digest: bytes) -> bool:
        """Tell whether the newest delivery with this packet id is this one."""
        newest = self._unsettled[source].get(packet_id) or self._sources[source].get(packet_id)
        return newest == digest

    def expect(self, source: str, packet_id: int, digest: bytes) -> None:
        """Keep a delivery, in the place of an older one with this packet id, until ``remember`` or ``forget``."""
        self._unsettled[source][packet_id] = digest

    def remember(self, source: str, packet_id: int, digest: bytes) -> None:
        """Keep a delivery that is settled, for as long as it is among the newest."""
        unsettled = self._unsettled[source]
        if unsettled.get(packet_id, digest) != digest:
            return  # its id names another by now
        unsettled.pop(packet_id, None)
        kept = self._sources[source]
        kept[packet_id] = digest
        kept.move_to_end(packet_id)
        if len(kept) > KEPT:
            kept.popitem(last=False)

    def forget(self, source: str, packet_id: int, digest: bytes) -> None:
        """Drop a delivery that could not be kept, so that it is taken in when it comes again."""
        if self.seen(source, packet_id, digest):
            self._unsettled[source].pop(packet_id, None)
            self._sources[source].pop(packet_id, None)

    def is_repeated(self, source: str, message: RawMessage) -> bool:
        """Tell whether ``message`` is retained and says what its topic said last; else it is now the last."""
        if message.retained and self._topics[source].get(hash(message.topic)) == hash(message.payload):
            return True
        self.said(source, (message,))
        return False

    def said(self, source: str, messages: Iterable[RawMessage]) -> None:
        """Keep what these, in their order, say as the last of their topics."""
        topics = self._topics[source]
        for topic, payload in {message.topic: message.payload for message in messages}.items():
            if topic:
                name = hash(topic)
                topics[name] = hash(payload)
                topics.move_to_end(name)
                if len(topics) > TOPICS_KEPT:
                    topics.popitem(last=False)

    def unsay(self, source: str, message: RawMessage) -> None:
        """Forget what the topic of ``message`` said last, for it could not be kept."""
        self._topics[source].pop(hash(message.topic), None)

    def forget_topics(self, source: str) -> None:
        """Forget what the topics of a source said last: it is read in another way from now on."""
        self._topics.pop(source, None)
