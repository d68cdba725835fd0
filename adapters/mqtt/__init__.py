"""MQTT: subscribes at a broker, and acknowledges what has been stored."""

import logging
import socket
from collections.abc import Iterable
from types import MappingProxyType

from adapters.mqtt.config import MqttConfig, MqttRoute
from adapters.mqtt.connection import V5, V311, Connection, OlderBroker, Unanswered
from adapters.mqtt.examine import examine
from adapters.mqtt.subscriptions import digest, subscriptions
from gateway.adapter import Adapter, Emit
from gateway.errors import AdapterDown
from gateway.findings import Finding, Situation
from gateway.runtime import Event

__all__ = ["Mqtt", "MqttConfig", "MqttRoute"]

log = logging.getLogger(__name__)

NAMES = MappingProxyType({V5: "5", V311: "3.1.1"})


class Mqtt(Adapter[MqttConfig]):
    """A broker as a source.

    The session at the broker outlives connections and the gateway: what comes meanwhile with QoS 1
    waits there, and what was delivered but not acknowledged is delivered again.
    """

    Config = MqttConfig

    def __init__(self, config: MqttConfig) -> None:
        super().__init__(config)
        announced = config.announcements()
        topics = [(route.topic, route.qos) for route in config.routes]
        self._subscriptions = subscriptions(topics, announced.pattern if announced else None)
        self._version = V5 if config.protocol == "5" else V311
        self._connection: Connection | None = None
        self._has_session = False

    def run(self, emit: Emit, stop: Event) -> None:
        """Serve one connection; raises ``AdapterDown`` with broker and cause when it fails."""
        try:
            self._serve(emit, stop)
        except OlderBroker as refusal:
            text, field = "source %s: %s; going on with MQTT 3.1.1", {"source": self.config.name}
            log.info(text, self.config.name, refusal, extra=field)
            self._version = V311
            self._serve(emit, stop)
        except Unanswered as silence:
            if self.config.protocol == "3.1.1":
                raise
            # Some brokers that don't know MQTT 5 wait for the rest of what they take for a packet of 3.1.1.
            self._version = V311 if self._version == V5 else V5
            raise AdapterDown(f"{silence}; MQTT {NAMES[self._version]} is tried next") from silence

    def refresh(self) -> bool:
        """Subscribe anew, without another connection."""
        return self._connection is not None and self._connection.refresh()

    def probe(self) -> str:
        """Log in at the broker and leave again, without a session."""
        connection = Connection(self.config, self._version, f"{self._client_id()}-probe", _forget, clean=True)
        try:
            connection.open(Event())
            connection.leave()
        finally:
            connection.close()
        return f"broker {self.config.host}:{self.config.port} lets us in"

    def examine(self, situation: Situation) -> Iterable[Finding]:
        """Go the way to the broker step by step, under another name than the gateway's."""
        return examine(self.config, self._client_id(), self._subscriptions, situation)

    def _serve(self, emit: Emit, stop: Event) -> None:
        connection = Connection(self.config, self._version, self._client_id(), emit.many)
        self._connection = connection
        try:
            if connection.open(stop):
                self._note_session(connection)
                connection.serve(self._subscriptions, emit, stop)
            connection.leave()
        finally:
            self._connection = None
            connection.close()

    def _note_session(self, connection: Connection) -> None:
        if self._has_session and not connection.resumed:
            log.warning(
                "source %s: the broker has forgotten our session; what came with QoS 1 while the connection was away "
                "is lost",
                self.config.name,
                extra={"source": self.config.name},
            )
        self._has_session = True

    def _client_id(self) -> str:
        # A session keeps its subscriptions, those of an earlier configuration too. So with other
        # subscriptions we are another client, to the broker.
        routes = digest(self._subscriptions)
        return self.config.client_id or f"telemetry-gateway-{socket.gethostname()}-{self.config.name}-{routes}"


def _forget(_messages: object) -> None:
    """Take messages that nobody asked for."""
