import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from gateway.adapter import PayloadConfig
from gateway.availability import Availability
from gateway.deliveries import Deliveries, digest_of
from gateway.intake import Intake
from gateway.model import Outcome, RawMessage
from gateway.profiles import ProfileConfig, build
from gateway.roster import Roster

ARRIVED = 1767225600.5
CLIMATE = build(
    "climate", ProfileConfig.model_validate({"metrics": {"temperature": {"max": 85}, "serial": {"type": "str"}}})
)
STRICT = build("strict", ProfileConfig.model_validate({"extra": "ignore", "metrics": {"temperature": {}}}))
PROFILES = {"climate": CLIMATE, "strict": STRICT}


class Route(PayloadConfig):
    topic: str

    @property
    def topic_pattern(self):
        return self.topic


class Temperamental(BaseModel):
    x: float

    @field_validator("x")
    @classmethod
    def _check(cls, x):
        return 1 / x


def intake(*payloads, deliveries=None, profiles=PROFILES):
    return Intake("source", payloads, profiles, deliveries or Deliveries())


def mqtt(**config):
    return intake(Route(**{"topic": "sensors/{device}", **config}))


def message(payload, topic=b"sensors/kitchen", **more):
    return RawMessage(payload, ARRIVED, topic, **more)


def taken(intake, payload, topic=b"sensors/kitchen"):
    entry = intake.take(message(payload, topic))
    assert entry.outcome is Outcome.STORED, entry.reason
    return [(reading.device, reading.ts, reading.values) for reading in entry.readings]


def reason(intake, payload, topic=b"sensors/kitchen", **more):
    entry = intake.take(message(payload, topic, **more))
    assert entry.outcome is Outcome.REJECTED
    assert not entry.readings
    assert entry.reason.isprintable()
    return entry.reason


def test_a_reading_of_the_device_that_the_topic_names():
    assert taken(mqtt(), b'{"temperature": 21.5, "open": true}') == [
        ("kitchen", ARRIVED, {"temperature": 21.5, "open": True})
    ]


def test_an_entry_carries_source_message_profile_and_the_stored_form():
    first = message(b'{"temperature": 21}')
    entry = mqtt(profile="climate").take(first)
    assert (entry.source, entry.profile) == ("source", "climate")
    assert entry.message is first
    (reading,) = entry.readings
    assert json.loads(reading.body) == {"ts": ARRIVED, "values": {"temperature": 21.0}}
    assert reading.seq is None
    assert mqtt().take(first).profile is None


def test_the_first_route_that_matches_decides():
    routes = intake(
        Route(topic="sensors/attic", device="Attic"),
        Route(topic="sensors/{device}"),
        Route(topic="plain/{device}/{metric}", decode="value", profile="climate"),
    )
    assert taken(routes, b'{"a": 1}', b"sensors/attic") == [("Attic", ARRIVED, {"a": 1})]
    assert taken(routes, b'{"a": 1}', b"sensors/cellar") == [("cellar", ARRIVED, {"a": 1})]
    assert taken(routes, b"21", b"plain/cellar/temperature") == [("cellar", ARRIVED, {"temperature": 21.0})]
    assert reason(routes, b"99", b"plain/cellar/temperature") == "temperature: expected at most 85, got 99"
    assert routes.take(message(b"1", b"other")).outcome is Outcome.IGNORED
    assert routes.take(message(b"1", b"other")).outcome is Outcome.IGNORED


def test_a_source_without_topics_reads_all_in_one_way():
    serial = intake(PayloadConfig(decode="csv", columns=("temperature", "humidity"), device="bench"))
    assert taken(serial, b"21.5,48\r", b"") == [("bench", ARRIVED, {"temperature": 21.5, "humidity": 48})]
    assert reason(serial, b"21.5", b"") == "expected 2 cells (temperature, humidity), got 1"


def test_a_source_that_reads_nothing_ignores_everything():
    assert intake().take(message(b"{}")).outcome is Outcome.IGNORED


def test_the_metric_of_a_value():
    assert taken(mqtt(decode="value"), b"on") == [("kitchen", ARRIVED, {"value": "on"})]
    assert taken(mqtt(decode="value", metric="door"), b"on") == [("kitchen", ARRIVED, {"door": "on"})]
    named = mqtt(topic="sensors/{device}/{metric}", decode="value", metric="door")
    assert taken(named, b"on", b"sensors/a/lamp") == [("a", ARRIVED, {"lamp": "on"})]
    assert reason(named, b"on", b"sensors/a/") == 'metric name: is empty, got ""'


@pytest.mark.parametrize(
    ("decode", "payload", "columns"),
    [
        ("json", b'{"ts": 1767225600250, "a": 1}', ()),
        ("kv", b"ts=1767225600.25 a=1", ()),
        ("csv", b"2026-01-01T00:00:00.25Z,1", ("ts", "a")),
    ],
)
def test_the_sources_time_is_no_metric(decode, payload, columns):
    assert taken(mqtt(decode=decode, columns=columns), payload) == [("kitchen", 1767225600.25, {"a": 1})]


def test_the_sources_time_may_have_another_name():
    other = mqtt(time_key="Time")
    assert taken(other, b'{"Time": 1, "ts": 5}') == [("kitchen", 1.0, {"ts": 5})]
    assert taken(other, b'{"Time": null, "a": 5}') == [("kitchen", ARRIVED, {"a": 5})]
    assert reason(other, b'{"Time": "soon", "a": 5}') == 'Time: expected Unix time or ISO 8601, got "soon"'


@pytest.mark.parametrize(
    ("decode", "payload", "device"),
    [
        ("json", b'{"id": "kitchen", "a": 1}', "kitchen"),
        ("json", b'{"id": 7, "a": 1}', "7"),
        ("kv", b"id=24e512345678 a=1", "24e512345678"),
        ("kv", b"id=1.10 a=1", "1.10"),
        ("json", '{"id": "Living Room (küche) <script> 😀", "a": 1}'.encode(), "Living Room (küche) <script> 😀"),
    ],
)
def test_a_field_names_the_device(decode, payload, device):
    assert taken(intake(PayloadConfig(decode=decode, device_key="id")), payload) == [(device, ARRIVED, {"a": 1})]


def test_a_nested_field_names_the_device():
    nested = intake(PayloadConfig(device_key="meta.id"))
    assert taken(nested, b'{"meta": {"id": "x"}, "a": 1}') == [("x", ARRIVED, {"a": 1})]


def test_the_topic_names_the_device_before_the_field_which_is_no_metric():
    assert taken(mqtt(device_key="id"), b'{"id": "other", "a": 1}') == [("kitchen", ARRIVED, {"a": 1})]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("null", "id: expected the name of the device, got nothing"),
        ("true", "id: expected the name of the device, text or a whole number, got true"),
        ("1.5", "id: expected the name of the device, text or a whole number, got 1.5"),
        ('""', 'device id: is empty, got ""'),
        ('"a/b"', 'device id: has one of / + #, got "a/b"'),
        ('" a"', 'device id: has blanks at its start or end, got " a"'),
        (r'"a\nb"', "device id: has characters that can't be printed, got " + r'"a\nb"'),
    ],
)
def test_what_names_no_device_is_rejected(value, words):
    named = intake(PayloadConfig(device_key="id"))
    assert reason(named, b'{"id": %s, "a": 1}' % value.encode()) == words


def test_a_device_that_is_nowhere_named_says_what_to_configure():
    assert "device or device_key in gateway.toml" in reason(intake(PayloadConfig()), b'{"a": 1}')


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        (b"sensors/", 'device id: is empty, got ""'),
        (b"sensors/ x", "device id: has blanks"),
        (b"sensors/" + b"x" * 129, "device id: has 129 characters"),
        (b"sensors/a\0b", "device id: has characters that can't be printed"),
        (b"sensors/\xff", "topic: not UTF-8: byte 0xff at 8"),
    ],
)
def test_a_topic_that_names_no_device_is_rejected(topic, words):
    assert reason(mqtt(), b'{"a": 1}', topic).startswith(words)


def test_a_flawed_message_is_rejected_unread():
    assert reason(mqtt(), b'{"a": 1}', flaw="line longer than 4096 bytes") == "line longer than 4096 bytes"


@pytest.mark.parametrize("payload", [b"{}", b"[]", b'{"a": null}', b'{"ts": 1}', b'{"a": {}}'])
def test_a_message_without_values_is_rejected(payload):
    assert reason(mqtt(), payload) == "no values"


def test_a_message_with_nothing_that_the_profile_names_is_rejected():
    assert reason(mqtt(profile="strict"), b'{"a": 1}') == "no values that the profile names"


def test_the_number_of_metrics_is_bounded():
    fields = {f"m{n}": n for n in range(257)}
    assert reason(mqtt(), json.dumps(fields).encode()) == "257 metrics, at most 256 are taken"
    assert reason(mqtt(profile="strict"), json.dumps(fields).encode()) == "257 metrics, at most 256 are taken"
    del fields["m0"]
    assert len(taken(mqtt(), json.dumps({**fields, "ts": 1}).encode())[0][2]) == 256


def test_text_metrics_of_the_profile_stay_text():
    assert taken(mqtt(decode="kv", profile="climate"), b"serial=1.10 x=1.10") == [
        ("kitchen", ARRIVED, {"serial": "1.10", "x": 1.1})
    ]


def test_an_array_is_several_readings():
    several = intake(PayloadConfig(device_key="id"))
    payload = b'[{"id": "a", "ts": 1, "x": 1}, {"id": "b", "ts": 2, "x": 2}, {"id": "a", "x": 3}]'
    assert taken(several, payload) == [("a", 1.0, {"x": 1}), ("b", 2.0, {"x": 2}), ("a", ARRIVED, {"x": 3})]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("{}", "reading 2: no values"),
        ('{"temperature": 99}', "reading 2: temperature: expected at most 85, got 99"),
        ('{"ts": true, "a": 1}', "reading 2: ts: expected Unix time"),
        ("5", "reading 2: expected an object, got 5"),
    ],
)
def test_a_message_is_taken_whole_or_not_at_all(second, words):
    assert reason(mqtt(profile="climate"), b'[{"a": 1}, %s]' % second.encode()).startswith(words)


def test_devices_are_bounded_over_all_sources_and_the_known_go_on():
    roster = Roster(2)
    roster.add("attic")
    one, other = (Intake(name, [Route(topic="sensors/{device}")], {}, Deliveries(), roster=roster) for name in "ab")
    assert taken(one, b'{"a": 1}')[0][0] == "kitchen"
    assert reason(other, b'{"a": 1}', b"sensors/cellar") == 'more than 2 devices: no room for "cellar"'
    assert taken(other, b'{"a": 1}', b"sensors/attic")[0][0] == "attic"
    assert taken(other, b'{"a": 1}')[0][0] == "kitchen"


def test_devices_of_one_message_are_let_in_together_or_not_at_all():
    named = Intake("source", [PayloadConfig(device_key="id")], {}, Deliveries(), roster=Roster(2))
    three = b'[{"id": "c", "x": 1}, {"id": "b", "x": 1}, {"id": "a", "x": 1}]'
    assert reason(named, three) == 'more than 2 devices: no room for "a"'
    assert len(taken(named, b'[{"id": "d", "x": 1}, {"id": "e", "x": 1}, {"id": "d", "x": 2}]')) == 3
    assert reason(named, b'{"id": "a", "x": 1}').startswith("more than 2 devices")


def test_what_is_refused_for_another_reason_takes_no_room():
    roster = Roster(1)
    taking = Intake("source", [Route(topic="sensors/{device}")], {}, Deliveries(), roster=roster)
    reason(taking, b"{}", b"sensors/typo")
    assert taken(taking, b'{"a": 1}')


def test_many_topics_are_routed_without_being_kept():
    routes = mqtt()
    for number in range(10_000):
        assert taken(routes, b'{"a": 1}', b"sensors/d%d" % number)[0][0] == f"d{number}"
        routes.take(message(b"", b"other/%d" % number))
    long = b"other/" + b"x" * 60_000
    assert routes.take(message(b"", long)).outcome is Outcome.IGNORED
    assert len(routes._routes) <= 4096
    assert long not in routes._routes


def delivery(packet_id=7, payload=b'{"a": 1}', **more):
    return message(payload, packet_id=packet_id, acknowledged=True, **more)


def test_a_delivery_that_comes_again_is_a_duplicate():
    taking = mqtt()
    first = taking.take(delivery())
    assert first.outcome is Outcome.STORED
    assert first.digest == digest_of(delivery())
    again = taking.take(delivery(redelivered=True))
    assert again.outcome is Outcome.DUPLICATE
    assert not again.readings


@pytest.mark.parametrize(
    "second",
    [
        delivery(),
        delivery(packet_id=8, redelivered=True),
        delivery(payload=b'{"a": 2}', redelivered=True),
        delivery(packet_id=None, redelivered=True),
        message(b'{"a": 1}', b"sensors/attic", packet_id=7, redelivered=True),
    ],
    ids=["not marked", "another id", "another payload", "no id", "another topic"],
)
def test_an_equal_reading_is_none(second):
    taking = mqtt()
    taking.take(delivery())
    assert taking.take(second).outcome is Outcome.STORED


def test_what_was_first_delivered_to_an_earlier_process_is_a_duplicate():
    deliveries = Deliveries()
    deliveries.remember("source", 7, digest_of(delivery()))
    taking = intake(Route(topic="sensors/{device}"), deliveries=deliveries)
    assert taking.take(delivery(redelivered=True)).outcome is Outcome.DUPLICATE


def test_a_marked_delivery_that_never_arrived_is_taken():
    assert mqtt().take(delivery(redelivered=True)).outcome is Outcome.STORED


def test_a_message_without_packet_id_has_no_digest():
    assert mqtt().take(message(b'{"a": 1}')).digest is None


def test_a_rejected_delivery_is_remembered_too():
    taking = mqtt()
    assert taking.take(delivery(payload=b"x")).digest is not None
    assert taking.take(delivery(payload=b"x", redelivered=True)).outcome is Outcome.DUPLICATE


def test_whatever_a_users_model_raises_is_a_reject_and_logged_once(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "my_sensors", sys.modules[__name__])
    profile = build("t", ProfileConfig(model="my_sensors:Temperamental"))
    taking = intake(Route(topic="sensors/{device}", profile="t"), profiles={"t": profile})
    for _ in range(3):
        assert reason(taking, b'{"x": 0}') == "can't be read: ZeroDivisionError: float division by zero"
    assert taken(taking, b'{"x": 4}') == [("kitchen", ARRIVED, {"x": 0.25})]
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info


def test_reasons_are_short_and_on_one_line():
    long = json.dumps({f"n\n{'x' * 200}{n}": "y" * 300 for n in range(5)}).encode()
    assert len(reason(mqtt(), long)) <= 500
    assert "\\n" in reason(mqtt(), b'{"a\\nb": {"c": 1}, "a\\nb.c": 2}')


@pytest.mark.parametrize("decode", ["json", "value", "kv", "csv"])
@given(payload=st.binary(max_size=60), topic=st.binary(max_size=20).map(lambda rest: b"sensors/" + rest))
def test_it_never_raises(decode, payload, topic):
    columns = ("a", "b") if decode == "csv" else ()
    entry = mqtt(decode=decode, columns=columns).take(message(payload, topic))
    assert (entry.outcome is Outcome.STORED) == bool(entry.readings)
    assert (entry.outcome is Outcome.REJECTED) == bool(entry.reason)


# ---- what the broker had kept, and what devices say of themselves


def test_a_retained_message_is_stored_once_and_marked():
    taking = mqtt()
    (reading,) = taking.take(message(b'{"t": 1}', retained=True)).readings
    assert reading.retained
    assert json.loads(reading.body) == {"ts": ARRIVED, "values": {"t": 1}, "retained": True}
    assert taking.take(message(b'{"t": 1}', retained=True)).outcome is Outcome.DUPLICATE
    assert taking.take(message(b'{"t": 2}', retained=True)).outcome is Outcome.STORED
    (live,) = taking.take(message(b'{"t": 2}')).readings
    assert not live.retained
    assert "retained" not in json.loads(live.body)


def with_availability():
    route = Route(topic="sensors/#", device="x")
    return Intake("source", [route], PROFILES, Deliveries(), Availability("sensors/{device}/status"))


def announced(payload, topic=b"sensors/kitchen/status", **more):
    entry = with_availability().take(message(payload, topic, **more))
    assert entry.readings == ()
    return entry


def test_an_announcement_is_no_reading_whatever_the_routes_say():
    online, offline = announced(b"online"), announced(b"offline", retained=True)
    assert (online.outcome, online.availability) == (Outcome.IGNORED, ("kitchen", True))
    assert (offline.outcome, offline.availability) == (Outcome.IGNORED, ("kitchen", False))
    assert with_availability().take(message(b'{"t": 1}', b"sensors/kitchen")).outcome is Outcome.STORED


def test_a_cleared_announcement_says_nothing():
    entry = announced(b"", retained=True)
    assert (entry.outcome, entry.availability) == (Outcome.IGNORED, None)


def test_an_announcement_in_other_words_is_rejected():
    entry = announced(b"perhaps")
    assert entry.outcome is Outcome.REJECTED
    assert entry.reason == 'availability: expected "online" or "offline", got "perhaps"'
    assert announced(b"online", flaw="too long").reason == "too long"
    assert announced(b"online", b"sensors/\xff/status").outcome is Outcome.REJECTED
