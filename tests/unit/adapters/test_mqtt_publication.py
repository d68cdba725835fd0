"""PUBLISH packets, taken apart as paho would."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.mqtt.publication import Publication, parse, split

TOPICS = st.text(st.characters(exclude_characters="\0+#", exclude_categories=["Cs"]), min_size=1, max_size=50)


@given(
    topic=TOPICS,
    payload=st.binary(max_size=300),
    qos=st.integers(0, 1),
    dup=st.booleans(),
    retain=st.booleans(),
    user_properties=st.none() | st.lists(st.tuples(TOPICS, TOPICS), max_size=5),
)
def test_what_paho_packs_is_found_again(
    *,
    topic: str,
    payload: bytes,
    qos: int,
    dup: bool,
    retain: bool,
    user_properties: list[tuple[str, str]] | None,
) -> None:
    version = MQTTProtocolVersion.MQTTv311 if user_properties is None else MQTTProtocolVersion.MQTTv5
    properties = None
    if user_properties is not None:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = user_properties
    header, body = packed(version, 77, topic.encode(), payload, qos, retain, dup, None, properties)
    found = parse(header, body, 0, len(body), 1.5, has_properties=user_properties is not None)
    expected = (topic.encode(), payload, qos, 77 if qos else None, dup, retain)
    assert (found.topic, found.payload, found.qos, found.packet_id, found.redelivered, found.retained) == expected
    assert (found.acknowledged, found.arrived) == (qos > 0, 1.5)
    assert found.subscription_identifiers() == []


@given(header=st.integers(0x30, 0x3F), body=st.binary(max_size=60), has_properties=st.booleans())
def test_garbage_is_a_value_error_or_a_message(header: int, body: bytes, has_properties: bool) -> None:
    with contextlib.suppress(ValueError):
        found = parse(header, body, 0, len(body), 1.5, has_properties=has_properties)
        assert isinstance(found.subscription_identifiers(), list)
        assert len(found.topic) + len(found.properties) + len(found.payload) <= len(body)


def test_subscription_identifiers_are_found() -> None:
    properties = b"\x05" + b"\x0b\x07" + b"\x0b\x80\x01"
    body = b"\x00\x01a" + properties + b"payload"
    message = parse(0x30, body, 0, len(body), 1.5, has_properties=True)
    assert message.subscription_identifiers() == [7, 128]
    assert message.payload == b"payload"


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00\x05abc", b"\x00\x01a\x80\x80\x80\x80\x01", b"\x00\x01a\x05\x0b"])
def test_a_short_packet_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="PUBLISH"):
        parse(0x30, body + b"\xff" * 9, 0, len(body), 1.5, has_properties=True)


def test_broken_properties_give_no_identifiers() -> None:
    assert Publication(b"", 1.5, b"a", properties=b"\x02\xff\xff").subscription_identifiers() == []


BODIES = st.builds(lambda rest: b"\x00\x01a\x00\x00\x00" + rest, st.binary(max_size=300)) | st.binary(max_size=20)
HEADERS = st.sampled_from([0x30, 0x31, 0x32, 0x33, 0x3A] * 4 + [0x34, 0x36, 0xD0, 0x40])


@given(
    packets=st.lists(st.tuples(HEADERS, BODIES), max_size=8),
    has_properties=st.booleans(),
    most=st.integers(0, 9),
    missing=st.integers(0, 4),
)
def test_split_takes_what_parse_takes_and_stops_before_all_else(
    packets: list[tuple[int, bytes]], has_properties: bool, most: int, missing: int
) -> None:
    stream = b"".join(bytes([header]) + length_of(body) + body for header, body in packets)
    stream = b"before" + stream[: max(0, len(stream) - missing)]
    expected, at = [], 6
    for header, body in packets:
        end = at + 1 + len(length_of(body)) + len(body)
        if end > len(stream) or header not in {0x30, 0x31, 0x32, 0x33, 0x3A} or len(body) > 200:
            break
        with contextlib.suppress(ValueError):
            came = (1_500_000 + len(expected)) / 1e6
            expected.append(parse(header, body, 0, len(body), came, has_properties=has_properties))
            at = end
            continue
        break
    if len(expected) > most:
        expected = expected[:most]
        at = 6 + sum(1 + len(length_of(body)) + len(body) for _, body in packets[:most])
    assert split(stream, 6, 1.5, has_properties=has_properties, most=most, most_bytes=200) == (expected, at)


@given(st.integers(1_700_000_000_000_000, 2_000_000_000_000_000))
def test_messages_that_come_at_once_are_a_microsecond_apart(arrived_us: int) -> None:
    found, _ = split(b"\x30\x04\x00\x01a1" * 5, 0, arrived_us / 1e6, has_properties=False, most=9, most_bytes=99)
    assert [each.arrived for each in found] == [(arrived_us + n) / 1e6 for n in range(5)]


@pytest.mark.parametrize("size", [120, 127, 128, 129, 16_383, 16_384])
def test_split_knows_where_a_packet_ends(size: int) -> None:
    body = b"\x00\x01a" + b"x" * (size - 3)
    stream = b"\x30" + length_of(body) + body
    found, end = split(stream * 2, 0, 1.5, has_properties=False, most=9, most_bytes=1 << 20)
    assert (len(found), end) == ((2, 2 * len(stream)) if size < 16_384 else (0, 0))
    assert all(each.payload == body[3:] for each in found)


def length_of(body: bytes) -> bytes:
    """Return the length as the fixed header has it."""
    length, encoded = len(body), b""
    while True:
        length, low = divmod(length, 128)
        encoded += bytes([low | 0x80 if length else low])
        if not length:
            return encoded


def packed(version: MQTTProtocolVersion, *publish: object) -> tuple[int, bytearray]:
    """Return header and body of a PUBLISH as paho sends it."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=version)
    client._sock = object()  # it packs only where there is a connection
    client.on_socket_register_write = lambda *_: None
    client._send_publish(*publish)
    packet = client._out_packet.pop()["packet"]
    client._sock = None
    start = next(index for index, byte in enumerate(packet[1:], start=1) if byte < 0x80) + 1
    return packet[0], bytearray(packet[start:])
