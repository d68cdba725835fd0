"""Devices that say that they come and go, and what a broker keeps of them, with the real daemon and Mosquitto."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho

from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import LOOPBACK, wait_until

AVAILABILITY = 'availability = "sensors/{device}/status"'


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def daemon(tmp_path: Path, broker: Mosquitto) -> Iterator[Daemon]:
    with Daemon(tmp_path / "gateway", mqtt(broker.port, more=AVAILABILITY)) as running:
        running.wait_up("broker")
        yield running


def device(daemon: Daemon, name: str = "kitchen") -> dict[str, Any]:
    found: dict[str, Any] = {each["id"]: each for each in daemon.get("/api/v1/devices")["devices"]}.get(name, {})
    return found


def wait_state(daemon: Daemon, state: str) -> None:
    wait_until(lambda: device(daemon).get("state") == state, f"the device is {state}")


class Sensor:
    """A client with a last will, which the broker publishes when the connection breaks."""

    def __init__(self, port: int) -> None:
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "kitchen-sensor", reconnect_on_failure=False)
        self._client.will_set("sensors/kitchen/status", b"offline", qos=1, retain=True)
        self._client.connect(LOOPBACK, port)
        self._client.loop_start()
        self.publish("sensors/kitchen/status", b"online", retain=True)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10.0)

    def die(self) -> None:
        self._client.socket().shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()


def test_birth_and_last_will_drive_the_state(broker: Mosquitto, daemon: Daemon) -> None:
    sensor = Sensor(broker.port)
    sensor.publish("sensors/kitchen", b'{"t": 21.5}')
    wait_state(daemon, "online")
    sensor.die()
    wait_state(daemon, "offline")
    Sensor(broker.port).die()
    wait_until(lambda: daemon.ledger()["ignored"] == 4, "born and died twice")
    wait_state(daemon, "offline")
    Sensor(broker.port)
    wait_state(daemon, "online")
    assert daemon.ledger()["stored"] == 1
    assert daemon.source_states() == {"broker": "up"}


def test_a_state_that_the_broker_kept_is_known_after_a_restart(broker: Mosquitto, daemon: Daemon) -> None:
    broker.publish("sensors/kitchen", b'{"t": 21.5}')
    wait_state(daemon, "online")
    daemon.stop()
    broker.publish("sensors/kitchen/status", b'{"state": "offline"}', retain=True)
    daemon.start()
    wait_state(daemon, "offline")


def test_what_is_no_state_is_rejected_with_a_reason(broker: Mosquitto, daemon: Daemon) -> None:
    broker.publish("sensors/kitchen/status", b"Online")
    wait_until(lambda: daemon.ledger()["rejected"] == 1, "a reject")
    assert 'availability: expected "online" or "offline", got "Online"' in daemon.log


def test_a_retained_reading_is_stored_once_and_is_no_sign_of_life(tmp_path: Path, broker: Mosquitto) -> None:
    broker.publish("sensors/kitchen", b'{"t": 21.5}', retain=True)
    with Daemon(tmp_path / "gateway", mqtt(broker.port, more='protocol = "3.1.1"')) as daemon:
        wait_until(lambda: daemon.ledger()["stored"] == 1, "what the broker kept")
        shown = device(daemon)
        assert (shown["state"], shown["last_seen"], shown["latest"]) == ("offline", 0, {"t": 21.5})
        broker.restart()
        wait_until(lambda: daemon.ledger()["duplicate"] == 1, "the same again, from a broker of old")
        (reading,) = daemon.readings("kitchen")
        assert reading["retained"] is True
        assert device(daemon)["state"] == "offline"
        broker.publish("sensors/kitchen", b'{"t": 22}', retain=True)
        wait_state(daemon, "online")
        assert "retained" not in daemon.readings("kitchen")[1]


def test_a_session_that_the_broker_forgot_is_told(tmp_path: Path) -> None:
    with (
        Mosquitto(tmp_path / "broker", persistence=False) as broker,
        Daemon(tmp_path / "gateway", mqtt(broker.port)) as daemon,
    ):
        daemon.wait_up("broker")
        assert "forgotten" not in daemon.log
        broker.restart()
        wait_until(lambda: "the broker has forgotten our session" in daemon.log, "a word about it")
