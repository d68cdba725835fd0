"""One connection to a broker: from CONNECT over the subscriptions to its end."""

from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from adapters.mqtt import credentials, packets, words
from adapters.mqtt.client import Client
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.inbound import Inbound
from adapters.mqtt.subscriptions import Copies, Subscription
from gateway import runtime
from gateway.errors import AdapterDown
from gateway.model import RawMessage
from gateway.runtime import Event

V5 = MQTTProtocolVersion.MQTTv5
V311 = MQTTProtocolVersion.MQTTv311

TICK_S = 0.25
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
LINGER_S = 0.5


class OlderBroker(AdapterDown):
    """The broker doesn't speak MQTT 5."""


class Connection:
    """Made anew for each attempt; messages can be settled while it stands, and harmlessly after.

    Parameters
    ----------
    config
        Whom to connect to, and as whom.
    version
        MQTT 5 or 3.1.1.
    client_id
        Names the session at the broker.
    take
        Gets each message, from ``open`` on: first what the session kept for us.
    clean
        Whether to do without a session.
    """

    def __init__(
        self,
        config: MqttConfig,
        version: MQTTProtocolVersion,
        client_id: str,
        take: Callable[[RawMessage], None],
        *,
        clean: bool = False,
    ) -> None:
        self._config = config
        self._version = version
        self._client_id = client_id
        self._clean = clean
        self._answers: list[ReasonCode] = []
        self._ended = "the connection is lost"
        self._client = self._make_client()
        self._inbound = Inbound(self._client, take)

    def open(self, stop: Event) -> bool:
        """Connect; return False if ``stop`` came first.

        Raises
        ------
        OlderBroker
            It refuses MQTT 5.
        AdapterDown
            It can't be reached, or refuses.
        """
        self._identify()
        if not self._dial(stop):
            return False
        answers = self._await("CONNECT", stop)
        if answers and answers[0].is_failure:
            older = self._version == V5 and str(answers[0]) == "Unsupported protocol version"
            raise (OlderBroker if older else AdapterDown)(f"{self._where}: {words.refusal(answers[0])}")
        return bool(answers)

    def subscribe(self, wanted: Sequence[Subscription], stop: Event) -> bool:
        """Ask for messages; return False if ``stop`` came first.

        Raises
        ------
        AdapterDown
            A subscription is refused: which one, and why.
        """
        copies = Copies(wanted)
        if copies.possible and self._version == V5:
            self._inbound.copies = copies
        for each in wanted:
            self._send_subscribe(each)
            answers = self._await(f"SUBSCRIBE {each.filter}", stop)
            if not answers:
                return False
            if answers[0].is_failure:
                raise AdapterDown(f"{self._where}: refuses to subscribe {each.filter}: {str(answers[0]).lower()}")
        return True

    def serve(self, stop: Event) -> None:
        """Take messages until ``stop``; raise ``AdapterDown`` when the connection ends first."""
        while not stop.is_set():
            self._client.pump(TICK_S)
            self._check_open()

    def leave(self) -> None:
        """Say good-bye, after a moment for what is being stored: else it would be delivered again."""
        deadline = runtime.monotonic() + LINGER_S
        while self._inbound.unsettled and runtime.monotonic() < deadline:
            runtime.sleep(0.01)
        self._client.disconnect()

    def close(self) -> None:
        """Release everything; what isn't settled will be delivered again."""
        self._inbound.close()
        self._client.release()

    # ---- the handshake

    def _make_client(self) -> Client:
        limit = self._config.max_payload
        client = Client(self._client_id, self._version, clean=self._clean, max_packet_bytes=limit)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        return client

    def _identify(self) -> None:
        if self._config.username is not None:
            self._client.username_pw_set(self._config.username, credentials.password(self._config))
        if self._config.tls:
            self._client.tls_set_context(credentials.tls_context(self._config))

    def _dial(self, stop: Event) -> bool:
        """Connect in a green thread of its own, so that ``stop`` can end the waiting."""
        errors: list[OSError] = []
        task = runtime.spawn(self._connect, errors)
        while not task.join(TICK_S):
            if stop.is_set():
                task.kill()
                return False
        if errors:
            raise AdapterDown(f"{self._where}: {words.failure(errors[0], CONNECT_TIMEOUT_S)}") from errors[0]
        return True

    def _connect(self, errors: list[OSError]) -> None:
        more: dict[str, Any] = {}
        if self._version == V5:
            expiry_s = 0.0 if self._clean else self._config.session_expiry
            more = {"clean_start": self._clean, "properties": packets.connect_properties(expiry_s)}
        try:
            self._client.connect(self._config.host, self._config.port, int(self._config.keepalive), **more)
        except OSError as error:
            errors.append(error)

    def _send_subscribe(self, wanted: Subscription) -> None:
        if self._version == V5:
            properties = packets.subscribe_properties(wanted) if self._inbound.copies else None
            self._client.subscribe([(wanted.filter, packets.subscribe_options(wanted))], properties=properties)
        else:
            self._client.subscribe(wanted.filter, wanted.qos)

    def _await(self, request: str, stop: Event) -> list[ReasonCode]:
        """Return the broker's answer; nothing if ``stop`` came first."""
        self._answers = []
        deadline = runtime.monotonic() + ANSWER_TIMEOUT_S
        while not self._answers:
            if stop.is_set():
                return []
            if runtime.monotonic() > deadline:
                raise AdapterDown(f"{self._where}: no answer to {request} within {ANSWER_TIMEOUT_S:g} s")
            self._client.pump(TICK_S)
            if not self._answers:
                self._check_open()
        return self._answers

    def _check_open(self) -> None:
        if self._client.closed:
            raise AdapterDown(f"{self._where}: {self._ended}")

    @property
    def _where(self) -> str:
        return f"broker {self._config.host}:{self._config.port}"

    # ---- what the broker says; these never raise, paho's parser wouldn't survive it (TRAPS 2.3)

    def _on_connect(self, _c: object, _u: object, _flags: ConnectFlags, reason: ReasonCode, _p: object) -> None:
        self._answers = [reason]

    def _on_subscribe(self, _c: object, _u: object, _mid: int, reasons: list[ReasonCode], _p: object) -> None:
        self._answers = reasons

    def _on_disconnect(
        self, _c: object, _u: object, flags: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        by_broker = flags.is_disconnect_packet_from_server
        self._ended = words.end(reason, self._client.error, by_broker=by_broker, client_id=self._client_id)
