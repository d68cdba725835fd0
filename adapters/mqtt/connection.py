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
from adapters.mqtt.grants import Grants
from adapters.mqtt.inbound import Inbound
from adapters.mqtt.subscriptions import Copies, Subscription
from gateway import runtime
from gateway.adapter import Emit
from gateway.errors import AdapterDown
from gateway.model import RawMessage
from gateway.runtime import Event

V5 = MQTTProtocolVersion.MQTTv5
V311 = MQTTProtocolVersion.MQTTv311

TICK_S = 0.25
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
"""For CONNECT and SUBSCRIBE, or the keepalive if that is shorter."""
LINGER_S = 0.5
OLDER = '; if it is too old for MQTT 5: protocol = "3.1.1"'


class OlderBroker(AdapterDown):
    """The broker doesn't speak MQTT 5."""


class Unanswered(AdapterDown):
    """The broker accepts a connection and says nothing."""


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
        Gets messages that came together, from ``open`` on: first what the session kept for us.
    clean
        Whether to do without a session.
    """

    def __init__(
        self,
        config: MqttConfig,
        version: MQTTProtocolVersion,
        client_id: str,
        take: Callable[[Sequence[RawMessage]], None],
        *,
        clean: bool = False,
    ) -> None:
        self._config = config
        self._version = version
        self._client_id = client_id
        self._clean = clean
        self._answer: ReasonCode | None = None
        self.resumed = False
        """Whether the broker still had our session."""
        self._ended = "the connection is lost"
        self._client = self._make_client()
        self._inbound = Inbound(self._client, take)
        self._patience_s = min(ANSWER_TIMEOUT_S, config.keepalive)
        self._grants: Grants | None = None
        self._refresh = False

    def open(self, stop: Event) -> bool:
        """Connect; return False if ``stop`` came first.

        Raises
        ------
        OlderBroker
            It refuses MQTT 5.
        Unanswered
            It says neither yes nor no.
        AdapterDown
            It can't be reached, or refuses.
        """
        self._identify()
        if not self._dial(stop):
            return False
        self._await_answer(stop)
        if self._answer is not None and self._answer.is_failure:
            older = self._version == V5 and str(self._answer) == "Unsupported protocol version"
            raise (OlderBroker if older else AdapterDown)(f"{self._where}: {words.refusal(self._answer)}")
        return self._answer is not None

    def serve(self, wanted: Sequence[Subscription], emit: Emit, stop: Event) -> None:
        """Subscribe, and take messages until ``stop``.

        ``emit.up`` is called once the broker has answered, and whenever its answer changes: with what it refuses.

        Raises
        ------
        AdapterDown
            All is refused, or the connection ends.
        """
        self._client.slack_s = emit.slack_s
        grants = self._grants = self._make_grants(wanted)
        told: str | None = None
        grants.ask()
        while not stop.is_set():
            self._client.pump(TICK_S)
            self._check_open()
            if grants.news:
                before, told = told, self._verdict(grants)
                if told != before:
                    emit.up(told or None)
            self._keep_asking(grants)

    def refresh(self) -> bool:
        """Let ``serve`` subscribe anew; return whether it runs."""
        self._refresh = self._grants is not None
        return self._refresh

    def leave(self) -> None:
        """Say good-bye, after a moment for what is being stored: else it would be delivered again."""
        deadline = runtime.monotonic() + LINGER_S
        while self._inbound.unsettled and runtime.monotonic() < deadline:
            runtime.sleep(0.01)
        self._inbound.flush()
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

    def _await_answer(self, stop: Event) -> None:
        """Wait until the broker says whether we may come in, or ``stop`` is set."""
        deadline = runtime.monotonic() + self._patience_s
        while self._answer is None and not stop.is_set():
            if runtime.monotonic() > deadline:
                raise Unanswered(f"{self._where}: no answer to CONNECT within {self._patience_s:g} s")
            self._client.pump(TICK_S)
            if self._answer is None:
                self._check_open(OLDER if self._version == V5 else "")

    def _make_grants(self, wanted: Sequence[Subscription]) -> Grants:
        copies = Copies(wanted)
        if copies.possible and self._version == V5:
            self._inbound.copies = copies
        return Grants(self._client, wanted, identified=self._inbound.copies is not None)

    def _verdict(self, grants: Grants) -> str:
        """Return what the broker refuses, if not all."""
        grants.news = False
        verdict = f"{self._where}: {grants.in_words()}" if grants.in_words() else ""
        if grants.none:
            raise AdapterDown(verdict)
        return verdict

    def _keep_asking(self, grants: Grants) -> None:
        if grants.waiting_s > self._patience_s:
            raise AdapterDown(f"{self._where}: no answer to SUBSCRIBE within {self._patience_s:g} s")
        if self._refresh:
            self._refresh = False
            grants.ask()
        elif grants.due:
            grants.ask(grants.refused)

    def _check_open(self, hint: str = "") -> None:
        if self._client.closed:
            raise AdapterDown(f"{self._where}: {self._ended}{hint}")

    @property
    def _where(self) -> str:
        return f"broker {self._config.host}:{self._config.port}"

    # ---- what the broker says; these never raise, paho's parser wouldn't survive it (docs/traps.md 2.3)

    def _on_connect(self, _c: object, _u: object, flags: ConnectFlags, reason: ReasonCode, _p: object) -> None:
        self._answer, self.resumed = reason, flags.session_present

    def _on_disconnect(
        self, _c: object, _u: object, flags: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        by_broker = flags.is_disconnect_packet_from_server
        self._ended = words.end(reason, self._client.error, by_broker=by_broker, client_id=self._client_id)
