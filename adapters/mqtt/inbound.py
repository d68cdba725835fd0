"""Messages that come in over one connection, and their acknowledgement."""

from collections.abc import Callable
from functools import partial

from paho.mqtt.client import MQTTMessage

from adapters.mqtt import packets
from adapters.mqtt.client import Client, wire_topic
from adapters.mqtt.subscriptions import Copies
from gateway.model import RawMessage
from gateway.runtime import now

EXCERPT_BYTES = 4096
"""What is passed on of a message that is too long."""


class Inbound:
    """Makes a ``RawMessage`` of each message; acknowledges it when it is settled, if the connection stands.

    Parameters
    ----------
    client
        Of this one connection: packet identifiers mean something else in the next (TRAPS 2.4).
    take
        Gets the messages; returns at once and never raises.
    """

    def __init__(self, client: Client, take: Callable[[RawMessage], None]) -> None:
        self.copies: Copies | None = None
        """Set where a message may come more than once."""
        self._client = client
        self._take = take
        self._unsettled: set[int] = set()
        client.on_message = self._on_message

    @property
    def unsettled(self) -> int:
        """How many messages wait to be settled."""
        return len(self._unsettled)

    def close(self) -> None:
        """Acknowledge nothing any more."""
        self._unsettled.clear()

    def _on_message(self, _client: object, _userdata: object, message: MQTTMessage) -> None:
        topic = wire_topic(message)
        if self.copies and not self.copies.counts(topic, packets.subscription_identifiers(message.properties)):
            self._client.ack(message.mid, message.qos)
            return
        flaw = self._client.too_long
        payload = bytes(message.payload[:EXCERPT_BYTES] if flaw else message.payload)
        if message.qos == 0:
            self._take(RawMessage(payload, now(), topic, retained=message.retain, flaw=flaw))
        else:
            self._take(self._acknowledged(message, payload, topic, flaw))

    def _acknowledged(self, message: MQTTMessage, payload: bytes, topic: bytes, flaw: str) -> RawMessage:
        self._unsettled.add(message.mid)
        return RawMessage(
            payload=payload,
            arrived=now(),
            topic=topic,
            settle=partial(self._settle, message.mid, message.qos),
            acknowledged=True,
            packet_id=message.mid,
            redelivered=message.dup,
            retained=message.retain,
            flaw=flaw,
        )

    def _settle(self, mid: int, qos: int) -> None:
        if mid in self._unsettled:
            self._unsettled.remove(mid)
            self._client.ack(mid, qos)
