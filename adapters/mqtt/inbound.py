"""Messages that come in over one connection, and their acknowledgement."""

from collections.abc import Callable
from functools import partial

from adapters.mqtt.client import Client
from adapters.mqtt.publication import Publication
from adapters.mqtt.subscriptions import Copies
from gateway.model import RawMessage, expects_nothing
from gateway.runtime import now, spawn

EXCERPT_BYTES = 4096
"""What is passed on of a message that is too long."""


class Inbound:
    """Makes a ``RawMessage`` of each message; acknowledges it when it is settled, if the connection stands.

    Parameters
    ----------
    client
        Of this one connection: packet identifiers mean something else in the next (docs/traps.md 2.4).
    take
        Gets the messages; returns at once and never raises.
    """

    def __init__(self, client: Client, take: Callable[[RawMessage], None]) -> None:
        self.copies: Copies | None = None
        """Set where a message may come more than once."""
        self._client = client
        self._take = take
        self._unsettled: set[int] = set()
        self._settled: list[int] = []
        client.on_publication = self._take_in
        client.unsettled = lambda: self.unsettled

    @property
    def unsettled(self) -> int:
        """How many messages wait to be settled."""
        return len(self._unsettled)

    def close(self) -> None:
        """Acknowledge nothing any more."""
        self._unsettled.clear()
        self._settled.clear()

    def flush(self) -> None:
        """Acknowledge now what is settled; else it is done in the next turn of the hub, for all of a commit at once."""
        mids, self._settled = self._settled, []
        if mids:
            self._client.acknowledge(mids)

    def _take_in(self, publication: Publication) -> None:
        if self.copies and not self.copies.counts(publication.topic, publication.subscription_identifiers()):
            self._client.ack(publication.mid, publication.qos)
            return
        topic, payload, qos, mid, dup, retain, _, flaw, size = publication
        if flaw:
            payload = payload[:EXCERPT_BYTES]
        # by position, as this is done for each message: acknowledged, packet_id, redelivered, retained
        if not qos:
            self._take(RawMessage(payload, now(), topic, expects_nothing, False, None, False, retain, flaw, size))
            return
        self._unsettled.add(mid)
        settle = partial(self._settle, mid, qos)
        self._take(RawMessage(payload, now(), topic, settle, True, mid, dup, retain, flaw, size))

    def _settle(self, mid: int, qos: int) -> None:
        if mid not in self._unsettled:
            return
        self._unsettled.remove(mid)
        if qos != 1:
            self._client.ack(mid, qos)
            return
        if not self._settled:
            spawn(self.flush)
        self._settled.append(mid)
