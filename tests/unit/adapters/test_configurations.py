"""What the built-in adapters' tables may say."""

from typing import Any

import pytest
from pydantic import ValidationError

from adapters.mqtt import MqttConfig
from adapters.serial_port import SerialConfig

ROUTE = {"topic": "sensors/{device}"}
MQTT: dict[str, Any] = {"name": "broker", "type": "mqtt", "routes": [ROUTE]}
SERIAL: dict[str, Any] = {"name": "bench", "type": "serial", "url": "/dev/ttyUSB0", "device": "bench"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"routes": []}, "at least 1 item"),
        ({"routes": [{"topic": "a/#/b", "device": "x"}]}, "# stands for the rest"),
        ({"routes": [{"topic": "a/b"}]}, "device: expected"),
        ({"routes": [{**ROUTE, "qos": 3}]}, "0, 1 or 2"),
        ({"protocol": "3.1"}, "'5' or '3.1.1'"),
        ({"host": "mqtt://localhost"}, "expected a name or an address alone"),
        ({"host": "localhost:1883"}, "the port is a key of its own"),
        ({"host": "[::1]:1883"}, "the port is a key of its own"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"keepalive": "19h"}, "at most 18 hours"),
        ({"session_expiry": "200ms"}, "at least one second"),
        ({"ca_file": "ca.crt"}, "tls: expected true"),
        ({"tls": True, "key_file": "client.key"}, "cert_file: expected"),
        ({"password_file": "secret"}, "username: expected"),
        ({"availability": "sensors/+/status"}, "availability: expected a topic with {device}"),
        ({"availability": "{device}/#/x"}, "# stands for the rest"),
        ({"availability": "{device}/x", "payload_online": "1", "payload_offline": "1"}, "payload_offline: expected"),
        ({"payload_offline": "Offline"}, "availability: expected"),
    ],
)
def test_an_impossible_broker_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        MqttConfig.model_validate(MQTT | change)


@pytest.mark.parametrize("host", ["localhost", "192.168.1.2", "::1", "fe80::1%eth0", "homeassistant.local"])
def test_a_broker_has_a_name_or_an_address(host: str) -> None:
    assert MqttConfig.model_validate(MQTT | {"host": host}).host == host


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"url": "rcf2217://host"}, "doesn't know rcf2217://"),
        ({"url": "a.b://host"}, "expected a device path"),
        ({"stopbits": 3}, "expected 1, 1.5 or 2"),
        ({"parity": "X"}, "'N'"),
        ({"baudrate": 0}, "greater than or equal to 50"),
        ({"device": None}, "device: expected"),
        ({"framing": "lines"}, "'line'"),
        ({"decode": "csv"}, "columns"),
    ],
)
def test_an_impossible_port_is_refused(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        SerialConfig.model_validate(SERIAL | change)


def test_a_device_may_be_named_by_topic_table_or_field() -> None:
    for route in (ROUTE, {"topic": "a", "device": "x"}, {"topic": "a", "device_key": "id"}):
        config = MqttConfig.model_validate(MQTT | {"routes": [route]})
        assert [each.topic_pattern for each in config.payloads()] == [route["topic"]]
    assert SerialConfig.model_validate(SERIAL | {"device": None, "device_key": "id"}).payloads()
