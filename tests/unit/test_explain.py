import json

import pytest
from pydantic import BaseModel, Field

from adapters.serial_port import SerialConfig
from gateway.adapter import AdapterConfig, PayloadConfig
from gateway.availability import Availability
from gateway.explain import Metric, RouteTried, explain
from gateway.profiles import ProfileConfig, build
from gateway.profiles.user_model import ModelProfile

ARRIVED = 1767225600.5
CLIMATE = build(
    "climate",
    ProfileConfig.model_validate(
        {"extra": "ignore", "metrics": {"temperature": {"unit": "°C", "scale": 0.1, "max": 85}, "humidity": {}}}
    ),
)


class Weather(BaseModel):
    humidity: float = Field(alias="AM2301.Humidity", title="Humidity", json_schema_extra={"unit": "%"})


class Failing(BaseModel):
    def model_post_init(self, _):
        raise RuntimeError("out of order")


PROFILES = {
    "climate": CLIMATE,
    "weather": ModelProfile("weather", Weather),
    "failing": ModelProfile("failing", Failing),
}


class Route(PayloadConfig):
    topic: str

    @property
    def topic_pattern(self):
        return self.topic


class Broker(AdapterConfig):
    routes: tuple[Route, ...]

    def payloads(self):
        return self.routes


class Told(Broker):
    def announcements(self):
        return Availability("sensors/{device}/status")


def accounts(payload, topic=b"sensors/kitchen", *routes):
    routes = routes or ({"topic": "sensors/{device}", "profile": "climate"},)
    config = Broker(name="broker", type="mqtt", routes=routes)
    return explain(config, PROFILES, topic, payload, ARRIVED)


def account(*arguments):
    (only,) = accounts(*arguments)
    return only


def test_every_step_of_a_stored_message():
    found = account(b'{"ts": 1767225600250, "temperature": 215, "note": "x"}')
    assert (found.outcome, found.reason, found.flaw) == ("stored", None, None)
    assert (found.size, found.topic, found.names) == (54, "sensors/kitchen", {"device": "kitchen"})
    assert (found.decode, found.device_from, found.time_key, found.profile) == ("json", "topic", "ts", "climate")
    (reading,) = found.readings
    assert reading.fields == {"ts": 1767225600250, "temperature": 215, "note": "x"}
    assert (reading.device, reading.ts, reading.source_time) == ("kitchen", 1767225600.25, 1767225600250)
    assert reading.metrics == [Metric("temperature", 215, 21.5, "°C")]
    assert reading.left_out == ("note",)
    assert reading.passed
    (stored,) = found.stored
    assert stored.device == "kitchen"
    assert json.loads(stored.reading) == {"ts": 1767225600.25, "values": {"temperature": 21.5}}


def test_which_routes_matched_and_why_others_did_not():
    routes = (
        {"topic": "sensors/attic"},
        {"topic": "sensors/{device}/x"},
        {"topic": "sensors/{device}"},
        {"topic": "#"},
    )
    assert account(b"21", b"sensors/kitchen", *routes).routes == [
        RouteTried("sensors/attic", matched=False, reason='level 2 is "kitchen", the pattern wants "attic"'),
        RouteTried("sensors/{device}/x", matched=False, reason="has 2 levels, the pattern has 3"),
        RouteTried("sensors/{device}", matched=True),
        RouteTried("#", matched=None),
    ]


def test_a_message_that_no_route_wants_is_ignored():
    found = account(b"{}", b"other")
    assert (found.outcome, found.reason, found.decode, found.readings) == ("ignored", None, None, [])


@pytest.mark.parametrize(
    ("payload", "topic", "reached"),
    [
        (b'{"temperature": 1}', b"sensors/\xff", []),
        (b'{"temperature": 1}', b"sensors/", ["route"]),
        (b"warm", b"sensors/kitchen", ["route", "decode"]),
        (b'{"ts": "soon", "temperature": 1}', b"sensors/kitchen", ["route", "decode", "fields", "device"]),
        (b'{"temperature": 900}', b"sensors/kitchen", ["route", "decode", "fields", "device", "time", "raw"]),
        (b'{"other": 9}', b"sensors/kitchen", ["route", "decode", "fields", "device", "time"]),
    ],
)
def test_how_far_a_rejected_message_came(payload, topic, reached):
    found = account(payload, topic)
    assert found.outcome == "rejected"
    assert found.reason
    assert not found.stored
    reading = found.readings[0] if found.readings else None
    steps = {
        "route": found.routes,
        "decode": found.decode,
        "fields": reading and reading.fields,
        "device": reading and reading.device,
        "time": reading and reading.ts,
        "raw": reading and reading.metrics,
    }
    assert [name for name, step in steps.items() if step] == reached
    assert reading is None or not reading.passed


def test_all_readings_of_an_array_up_to_the_one_that_is_refused():
    found = account(b'[{"temperature": 1}, {"temperature": 900}, {"temperature": 2}]')
    assert found.reason == "reading 2: temperature: expected at most 85, got 90 (scaled from 900)"
    assert [reading.passed for reading in found.readings] == [True, False]
    assert found.readings[1].metrics == [Metric("temperature", 900, None, "°C")]


def test_the_field_that_names_the_device():
    found = account(b'{"id": 7, "x": 1}', b"any", {"topic": "any", "device_key": "id"})
    assert (found.device_from, found.readings[0].device) == ("payload", "7")
    assert account(b'{"x": 1}', b"any", {"topic": "any", "device": "hall"}).device_from == "configuration"


def test_metrics_that_a_model_calls_otherwise():
    found = account(b'{"AM2301.Humidity": 48}', b"any", {"topic": "any", "device": "a", "profile": "weather"})
    assert found.readings[0].metrics == [
        Metric("AM2301.Humidity", 48, None),
        Metric("humidity", None, 48.0, "%", "Humidity"),
    ]


def test_a_model_that_fails_is_explained_like_any_refusal():
    found = account(b'{"x": 1}', b"any", {"topic": "any", "device": "a", "profile": "failing"})
    assert found.reason == "can't be read: RuntimeError: out of order"
    assert found.readings[0].device == "a"


@pytest.mark.parametrize(
    ("payload", "outcome", "online"),
    [(b"online", "ignored", True), (b"offline", "ignored", False), (b"", "ignored", None)],
)
def test_a_topic_that_says_whether_a_device_is_there(payload, outcome, online):
    routes = ({"topic": "sensors/{device}/#"},)
    config = Told(name="broker", type="mqtt", routes=routes)
    (found,) = explain(config, PROFILES, b"sensors/kitchen/status", payload, ARRIVED)
    assert (found.outcome, found.availability, found.online) == (outcome, "sensors/{device}/status", online)
    assert (found.names, found.routes) == ({"device": "kitchen"}, [])
    (found,) = explain(config, PROFILES, b"sensors/kitchen/status", b"maybe", ARRIVED)
    assert (found.outcome, found.online) == ("rejected", None)
    assert found.reason.startswith("availability: expected")


def test_a_source_with_a_framing_finds_its_own_messages():
    config = SerialConfig(name="bench", type="serial", url="/dev/null", device="bench", decode="kv", max_line="10B")
    first, second, third = explain(config, {}, b"", b"a=1\r\n\na=" + b"9" * 20 + b"\na=2", ARRIVED)
    assert [json.loads(each.stored[0].reading)["values"] for each in (first, third)] == [{"a": 1}, {"a": 2}]
    assert (second.outcome, second.flaw, second.reason) == ("rejected", "line longer than 10 bytes", second.flaw)
    assert (second.routes, second.topic, second.size) == ([], None, 22)
    assert explain(config, {}, b"", b"\n", ARRIVED) == []
