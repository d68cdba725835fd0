"""Messages that come in over one connection, and their acknowledgement."""

from collections.abc import Callable, Sequence
from functools import partial

from adapters.mqtt.client import Client
from adapters.mqtt.publication import Publication
from adapters.mqtt.subscriptions import Copies
from gateway.model import RawMessage
from gateway.runtime import spawn


class Inbound:
    """Passes messages on; acknowledges each when it is settled, if the connection stands.

    Parameters
    ----------
    client
        Of this one connection: packet identifiers mean something else in the next (docs/traps.md 2.4).
    take
        Gets messages that came together; returns at once and never raises.
    """

    def __init__(self, client: Client, take: Callable[[Sequence[RawMessage]], None]) -> None:
        self.copies: Copies | None = None
        """Set where a message may come more than once."""
        self._client = client
        self._take = take
        self._unsettled: set[int] = set()
        self._settled: list[int] = []
        client.on_publications = self._take_in
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

    def _take_in(self, publications: Sequence[Publication]) -> None:
        if self.copies:
            publications = [publication for publication in publications if self._counts(self.copies, publication)]
        for publication in publications:
            if publication.qos:
                self._expect(publication)
        self._take(publications)

    def _counts(self, copies: Copies, publication: Publication) -> bool:
        """Tell whether this is the copy to take; another is acknowledged at once."""
        if copies.counts(publication.topic, publication.subscription_identifiers()):
            return True
        self._client.ack(publication.packet_id or 0, publication.qos)
        return False

    def _expect(self, publication: Publication) -> None:
        """Let a message be acknowledged when it is settled."""
        mid = publication.packet_id
        assert mid is not None, "it has a QoS"
        self._unsettled.add(mid)
        publication.settle = partial(self._settle, mid, publication.qos)

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
