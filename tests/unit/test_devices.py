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


def test_other_profiles_are_shown_with_the_next_reading_and_told_once(devices):
    def profile(unit):
        return SimpleNamespace(metrics={"t": SimpleNamespace(describe=lambda: {"type": "float", "unit": unit})})

    assert not devices.update("broker", [reading(t=21.0)], profile("F"))
    devices.describe_anew("another")
    assert not devices.update("broker", [reading(t=21.0)], profile("°C"))
    devices.describe_anew("broker")
    assert describe(devices)["metrics"]["t"]["unit"] == "F"
    assert devices.update("broker", [reading(t=21.0)], profile("°C"))
    assert describe(devices)["metrics"]["t"]["unit"] == "°C"
    assert not devices.update("broker", [reading(t=21.0)], profile("°C"))


def test_a_restored_device_gets_units_with_its_next_reading(devices):
    told = {"type": "float", "unit": "°C", "label": "Air"}
    profile = SimpleNamespace(metrics={"t": SimpleNamespace(describe=lambda: dict(told))})
    devices.restore("broker", reading(t=21.0, extra=1), None)
    assert describe(devices)["metrics"] == {"t": {"type": "float"}, "extra": {"type": "int"}}
    devices.update("broker", [reading(t=21.5)], profile)
    assert describe(devices)["metrics"] == {"t": told, "extra": {"type": "int"}}


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


# ---- what a broker had kept, and what devices say of themselves


def kept(**values):
    return Reading("kitchen", 1000.0, values, encode_body(1000.0, values, retained=True), 9, retained=True)


def states(devices):
    list(devices.changed_states())
    return describe(devices)["state"]


def test_a_retained_reading_is_no_sign_of_life(devices, clock):
    devices.update("broker", [reading(t=1)], None)
    clock.at += 7.0
    devices.update("broker", [reading(t=1)], None)
    clock.at += 60.0
    devices.update("broker", [kept(t=2)], None)
    shown = describe(devices)
    assert (shown["last_seen"], shown["latest"], shown["last"]["retained"]) == (1007.0, {"t": 2}, True)
    assert states(devices) == "stale"


def test_a_device_that_only_the_broker_remembers_was_never_seen(devices, clock):
    devices.update("broker", [kept(t=2)], None)
    shown = describe(devices)
    assert (shown["state"], shown["last_seen"], shown["rate"]) == ("offline", 0.0, 0.0)
    clock.at += 1.0
    devices.update("broker", [reading(t=3)], None)
    assert states(devices) == "online"
    assert describe(devices)["last_seen"] == 1001.0


def test_nor_is_one_that_was_restored_from_such_a_reading(devices):
    devices.restore("broker", kept(t=2), None)
    assert (describe(devices)["state"], describe(devices)["last_seen"]) == ("offline", 0.0)


def test_its_last_will_puts_it_offline_at_once(devices):
    devices.update("broker", [reading(t=1)], None)
    devices.announce("kitchen", online=False, retained=False)
    assert list(devices.changed_states()) == ["kitchen"]
    assert describe(devices)["state"] == "offline"
    devices.update("broker", [kept(t=2)], None)
    assert states(devices) == "offline"
    devices.update("broker", [reading(t=2)], None)
    assert states(devices) == "online"


def test_its_birth_brings_it_back_before_the_first_reading(devices, clock):
    devices.update("broker", [reading(t=1)], None)
    devices.announce("kitchen", online=False, retained=True)
    assert states(devices) == "offline"
    clock.at += 5000.0
    devices.announce("kitchen", online=True, retained=False)
    assert states(devices) == "online"
    assert describe(devices)["last_seen"] == 6000.0


def test_what_the_broker_kept_of_its_birth_leaves_its_silence_to_be_judged(devices, clock):
    devices.update("broker", [reading(t=1)], None)
    clock.at += 5000.0
    devices.announce("kitchen", online=True, retained=True)
    assert states(devices) == "offline"
    assert describe(devices)["last_seen"] == 1000.0


def test_what_it_said_before_its_first_reading_is_known_then(devices):
    devices.announce("kitchen", online=False, retained=True)
    assert "kitchen" not in devices
    devices.update("broker", [kept(t=2)], None)
    assert states(devices) == "offline"
    devices.announce("kitchen", online=True, retained=True)
    assert states(devices) == "online"
    assert describe(devices)["last_seen"] == 0.0


def test_a_birth_teaches_no_rhythm(devices, clock):
    devices.update("broker", [reading(t=1)], None)
    for _ in range(3):
        devices.announce("kitchen", online=True, retained=False)
        clock.at += 0.001
    clock.at += 200.0
    assert states(devices) == "online"


def test_devices_that_only_say_that_they_are_there_are_bounded(devices):
    for number in range(10_000):
        devices.announce(f"d{number}", online=False, retained=True)
    assert len(devices) == 0
    assert len(devices._announced) == 4096


def test_a_clock_that_is_set_changes_not_how_long_ago_a_device_was_heard():
    now, uptime = [100.0], [50.0]
    devices = Devices(lambda: now[0], lambda: uptime[0])
    body = encode_body(1_767_225_600.0, {"n": 1})
    devices.restore("broker", Reading("silent", 1_767_225_600.0, {"n": 1}, body, 1), None)
    devices.update("broker", [Reading("heard", 100.0, {"n": 1}, encode_body(100.0, {"n": 1}), 1)], None)
    uptime[0] += 20.0
    now[0] = 1.8e9
    devices.clock_set()
    seen = {device["id"]: device["last_seen"] for device in devices.describe_all()}
    assert seen == {"heard": 1.8e9 - 20.0, "silent": 1_767_225_600.0}


def test_a_metric_that_gave_whole_numbers_for_long_can_still_become_a_float(devices):
    for value in (21, 22, 21.5, 23):
        devices.update("broker", [reading(t=value, name="x")], None)
    assert describe(devices)["metrics"] == {"t": {"type": "float"}, "name": {"type": "str"}}
    assert describe(devices)["latest"] == {"t": 23, "name": "x"}
