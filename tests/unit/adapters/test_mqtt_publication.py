"""PUBLISH packets, taken apart as paho would."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from adapters.mqtt.publication import Publication, parse

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
    found = parse(header, body, has_properties=user_properties is not None)
    expected = (topic.encode(), payload, qos, 77 if qos else 0, dup, retain)
    assert (found.topic, found.payload, found.qos, found.mid, found.dup, found.retain) == expected
    assert found.subscription_identifiers() == []


@given(header=st.integers(0x30, 0x3F), body=st.binary(max_size=60), has_properties=st.booleans())
def test_garbage_is_a_value_error_or_a_message(header: int, body: bytes, has_properties: bool) -> None:
    with contextlib.suppress(ValueError):
        found = parse(header, bytearray(body), has_properties=has_properties)
        assert isinstance(found.subscription_identifiers(), list)
        assert len(found.topic) + len(found.properties) + len(found.payload) <= len(body)


def test_subscription_identifiers_are_found() -> None:
    properties = b"\x05" + b"\x0b\x07" + b"\x0b\x80\x01"
    message = parse(0x30, bytearray(b"\x00\x01a" + properties + b"payload"), has_properties=True)
    assert message.subscription_identifiers() == [7, 128]
    assert message.payload == b"payload"


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00\x05abc", b"\x00\x01a\x80\x80\x80\x80\x01", b"\x00\x01a\x05\x0b"])
def test_a_short_packet_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="PUBLISH"):
        parse(0x30, bytearray(body), has_properties=True)


def test_broken_properties_give_no_identifiers() -> None:
    assert Publication(b"a", b"", 0, 0, False, False, b"\x02\xff\xff").subscription_identifiers() == []


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
