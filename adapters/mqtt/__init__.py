"""MQTT: subscribes at a broker, and acknowledges what has been stored."""

import logging
import socket

from adapters.mqtt.config import MqttConfig, MqttRoute
from adapters.mqtt.connection import V5, V311, Connection, OlderBroker
from adapters.mqtt.subscriptions import digest, subscriptions
from gateway.adapter import Adapter, Emit
from gateway.runtime import Event

__all__ = ["Mqtt", "MqttConfig", "MqttRoute"]

log = logging.getLogger(__name__)


class Mqtt(Adapter[MqttConfig]):
    """A broker as a source.

    The session at the broker outlives connections and the gateway: what comes meanwhile with QoS 1
    waits there, and what was delivered but not acknowledged is delivered again.
    """

    Config = MqttConfig

    def __init__(self, config: MqttConfig) -> None:
        super().__init__(config)
        self._subscriptions = subscriptions([(route.topic, route.qos) for route in config.routes])
        self._version = V5 if config.protocol == "5" else V311

    def run(self, emit: Emit, stop: Event) -> None:
        """Serve one connection; raises ``AdapterDown`` with broker and cause when it fails."""
        try:
            self._serve(emit, stop)
        except OlderBroker as refusal:
            log.info("source %s: %s; going on with MQTT 3.1.1", self.config.name, refusal)
            self._version = V311
            self._serve(emit, stop)

    def probe(self) -> str:
        """Log in at the broker and leave again, without a session."""
        connection = Connection(self.config, self._version, f"{self._client_id()}-probe", _forget, clean=True)
        try:
            connection.open(Event())
            connection.leave()
        finally:
            connection.close()
        return f"broker {self.config.host}:{self.config.port} lets us in"

    def _serve(self, emit: Emit, stop: Event) -> None:
        connection = Connection(self.config, self._version, self._client_id(), emit)
        try:
            if connection.open(stop) and connection.subscribe(self._subscriptions, stop):
                emit.up()
                connection.serve(stop)
            connection.leave()
        finally:
            connection.close()

    def _client_id(self) -> str:
        # A session keeps its subscriptions, those of an earlier configuration too. So with other
        # subscriptions we are another client, to the broker.
        routes = digest(self._subscriptions)
        return self.config.client_id or f"telemetry-gateway-{socket.gethostname()}-{self.config.name}-{routes}"


def _forget(_message: object) -> None:
    """Take a message that nobody asked for."""
