from types import SimpleNamespace

import orjson
import pytest

from gateway.devices import Devices
from gateway.model import Reading, encode_body


class Clock:
    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def devices(clock):
    return Devices(clock, clock)


def reading(seq=1, ts=1000.0, **values):
    return Reading("kitchen", ts, values, encode_body(ts, values), seq)


def describe(devices):
    return orjson.loads(orjson.dumps(devices.describe("kitchen")))


def test_describes_the_last_reading_and_its_metrics(devices):
    devices.update("broker", [reading(1, t=21, open=False), reading(2, t=21.5, name="x")], None)
    shown = describe(devices)
    assert shown["last"] == {"seq": 2, "ts": 1000.0, "values": {"t": 21.5, "name": "x"}}
    assert shown["latest"] == {"t": 21.5, "open": False, "name": "x"}
    assert shown["metrics"] == {"t": {"type": "float"}, "open": {"type": "bool"}, "name": {"type": "str"}}
    assert (shown["id"], shown["source"], shown["state"], shown["last_seen"]) == ("kitchen", "broker", "online", 1000.0)


def test_a_profile_gives_unit_and_label(devices):
    told = {"type": "float", "unit": "°C", "label": "Air"}
    profile = SimpleNamespace(metrics={"t": SimpleNamespace(describe=lambda: dict(told))})
    devices.update("broker", [reading(t=21.0)], profile)
    assert describe(devices)["metrics"] == {"t": told}


def test_grows_stale_and_offline_by_its_own_rhythm_and_comes_back(devices, clock):
    for _ in range(5):
        clock.at += 10.0
        devices.update("broker", [reading(t=1)], None)
    clock.at += 39.0
    assert list(devices.changed_states()) == []
    clock.at += 2.0
    assert list(devices.changed_states()) == ["kitchen"]
    assert describe(devices)["state"] == "stale"
    clock.at += 200.0
    assert list(devices.changed_states()) == ["kitchen"]
    assert describe(devices)["state"] == "offline"
    devices.update("broker", [reading(t=1)], None)
    assert list(devices.changed_states()) == ["kitchen"]
    assert describe(devices)["state"] == "online"


def test_rate_is_readings_a_second(devices, clock):
    for _ in range(200):
        clock.at += 0.1
        devices.update("broker", [reading(t=1), reading(t=2)], None)
    assert describe(devices)["rate"] == pytest.approx(20.0, rel=0.1)
    clock.at += 60.0
    assert describe(devices)["rate"] < 0.1


def test_a_restored_device_has_been_silent_since_its_last_reading(devices):
    devices.restore("broker", reading(seq=7, ts=100.0, t=3), None)
    shown = describe(devices)
    assert (shown["state"], shown["last"]["seq"], shown["last_seen"]) == ("stale", 7, 100.0)


def test_endless_new_metric_names_are_bounded(devices):
    for number in range(1200):
        devices.update("broker", [reading(**{f"m{number}": 1})], None)
    assert len(describe(devices)["metrics"]) == 1024


def test_an_unknown_device_is_none(devices):
    assert devices.describe("attic") is None
    assert "attic" not in devices
