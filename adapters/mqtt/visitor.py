"""A client that looks in at a broker for doctor: logs in, asks, leaves; in plain blocking code."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from adapters.mqtt import credentials
from adapters.mqtt.config import MqttConfig
from adapters.mqtt.subscriptions import Subscription
from gateway.errors import AdapterDown

ANSWER_S = 5.0
_STEP_S = 0.05
_NEVER_RETAINED = 2
"""Retained messages aren't sent (MQTT 5, 3.8.3.1)."""
_OLDER = "Unsupported protocol version"


class Refusal(Exception):
    """The broker says no, or nothing."""

    def __init__(self, client_id: str, reason: str, *, is_silence: bool = False) -> None:
        super().__init__(reason)
        self.client_id = client_id
        self.reason = reason
        self.is_silence = is_silence


class Visitor:
    """One visit, in MQTT 5 or else in 3.1.1.

    Parameters
    ----------
    config
        Whom to visit.
    client_id
        As whom; not the gateway's, whose connection the broker would end.
    """

    def __init__(self, config: MqttConfig, client_id: str) -> None:
        self._config = config
        self._client_id = client_id
        self._answer: ReasonCode | None = None
        self._granted: dict[int, int] = {}
        self._client: paho.Client | None = None

    def enter(self) -> None:
        """Log in.

        Raises
        ------
        Refusal
            The broker doesn't let us in.
        """
        if self._config.protocol == "5":
            self._try(MQTTProtocolVersion.MQTTv5)
            if self._answer is not None and not self._answer.is_failure:
                return
            if self._answer is not None and str(self._answer) != _OLDER:
                raise Refusal(self._client_id, str(self._answer))
        self._try(MQTTProtocolVersion.MQTTv311)
        if self._answer is None:
            raise Refusal(self._client_id, f"no answer to CONNECT within {ANSWER_S:g} s", is_silence=True)
        if self._answer.is_failure:
            raise Refusal(self._client_id, str(self._answer))

    def ask(self, wanted: Sequence[Subscription]) -> Iterator[tuple[Subscription, int]]:
        """Yield for each subscription what is granted: a QoS, or a reason code of 128 and more.

        Raises
        ------
        Refusal
            The broker doesn't answer.
        """
        for each in wanted:
            mid = self._subscribe(each)
            if not self._wait(lambda mid=mid: mid in self._granted):  # type: ignore[misc]  # mypy can't infer it
                raise Refusal(self._client_id, f"no answer to SUBSCRIBE {each.filter}", is_silence=True)
            yield each, self._granted[mid]

    def leave(self) -> None:
        """Say good-bye."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None

    def _try(self, version: MQTTProtocolVersion) -> None:
        self.leave()
        self._answer = None
        client = self._client = self._make(version)
        try:
            client.connect(self._config.host, self._config.port, keepalive=30)
        except (OSError, AdapterDown) as failure:
            raise Refusal(self._client_id, str(failure), is_silence=True) from failure
        self._wait(lambda: self._answer is not None)

    def _make(self, version: MQTTProtocolVersion) -> paho.Client:
        clean = None if version == MQTTProtocolVersion.MQTTv5 else True
        client = paho.Client(CallbackAPIVersion.VERSION2, self._client_id, clean, protocol=version)
        client.connect_timeout = ANSWER_S
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        if self._config.username is not None:
            client.username_pw_set(self._config.username, credentials.password(self._config))
        if self._config.tls:
            client.tls_set_context(credentials.tls_context(self._config))
        return client

    def _subscribe(self, wanted: Subscription) -> int:
        assert self._client is not None
        if self._client.protocol == MQTTProtocolVersion.MQTTv5:
            options = SubscribeOptions(qos=wanted.qos, retainHandling=_NEVER_RETAINED)
            _, mid = self._client.subscribe([(wanted.filter, options)])
        else:
            _, mid = self._client.subscribe(wanted.filter, wanted.qos)
        return -1 if mid is None else mid

    def _wait(self, done: Callable[[], bool]) -> bool:
        assert self._client is not None
        deadline = time.monotonic() + ANSWER_S
        while not done() and time.monotonic() < deadline:
            if self._client.loop(_STEP_S) != paho.MQTT_ERR_SUCCESS:
                break  # the connection has ended
        return done()

    # ---- what the broker says

    def _on_connect(self, _c: object, _u: object, _flags: object, reason: ReasonCode, _p: object) -> None:
        self._answer = reason

    def _on_subscribe(self, _c: object, _u: object, mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        if reasons:
            self._granted[mid] = int(reasons[0].value)
