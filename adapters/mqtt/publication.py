"""Taking PUBLISH packets apart: MQTT 5, 3.3, and MQTT 3.1.1, 3.3."""

import struct
from dataclasses import dataclass
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.model import RawMessage, expects_nothing

_PUBLISH = 0x30
_KIND_AND_QOS_2 = 0b1111_0100
"""Of the first byte: which packet it is, and the upper bit of the QoS."""


@dataclass(slots=True)
class Publication(RawMessage):
    """A message as it was on the wire; ``settle`` is for whoever takes it to say."""

    # The message itself, not something to make one of: that would be another object for each.

    qos: int = 0
    properties: bytes = b""
    """Of MQTT 5, with their length in front, where there are any; not looked into."""

    def subscription_identifiers(self) -> list[int]:
        """Return which subscriptions it is for, as far as the broker says."""
        if not self.properties:
            return []
        unpacked: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        try:
            unpacked.unpack(self.properties)
        except (MQTTException, ValueError, IndexError, KeyError, struct.error):
            return []  # the broker's mistake: a message twice is better than none
        return getattr(unpacked, "SubscriptionIdentifier", [])


def split(  # noqa: PLR0913  one parameter a bound
    data: bytes, at: int, arrived: float, *, has_properties: bool, most: int, most_bytes: int
) -> tuple[list[Publication], int]:
    """Return the PUBLISH packets with QoS 0 or 1 that lie whole in ``data`` from ``at`` on, and where they end.

    There ``data`` ends, or a packet begins that is another, or isn't whole, or isn't right: whoever takes
    packets byte by byte knows what to do with it.

    Parameters
    ----------
    arrived
        When ``data`` came, in Unix seconds. That is when the first message did, and each other one came a microsecond
        after the one before it: so no two readings of a device have the same time.
    has_properties
        Whether this is MQTT 5.
    most
        So many packets are enough.
    most_bytes
        A packet with more after its length is left alone too, and each with more than 16383.
    """
    found: list[Publication] = []
    last, arrived_us = len(data) - 1, round(arrived * 1e6)
    while at < last and data[at] & _KIND_AND_QOS_2 == _PUBLISH and len(found) < most:
        length, start = data[at + 1], at + 2
        if length >= 0x80:
            if at + 2 > last or data[start] >= 0x80:
                break
            length, start = length + (data[start] << 7) - 0x80, start + 1
        end = start + length
        if end > last + 1 or length > most_bytes:
            break
        try:
            came = (arrived_us + len(found)) / 1e6  # no sum of floats: they would be some digits longer
            found.append(parse(data[at], data, start, end, came, has_properties=has_properties))
        except ValueError:
            break
        at = end
    return found, at


def parse(  # noqa: PLR0913  by position, as it is called for each message
    header: int, data: bytes, at: int, end: int, arrived: float, *, has_properties: bool
) -> Publication:
    """Return the message in a packet, of which ``data`` has from ``at`` to ``end`` what comes after the fixed header.

    Raises
    ------
    ValueError
        The packet is shorter than it says.
    """
    if at + 2 > end:
        raise ValueError("PUBLISH has no topic")
    topic_at, mid = at + 2, None
    at = topic_at + (data[at] << 8 | data[at + 1])
    topic = data[topic_at:at]
    qos, properties = header >> 1 & 0b11, b""
    if qos:
        mid = int.from_bytes(data[at : at + 2], "big")
        at += 2
    if has_properties:
        if at < end and not data[at]:  # most have none
            at += 1
        else:
            at, properties_at = _after_properties(data, at, end), at
            properties = data[properties_at:at]
    if at > end:
        raise ValueError("PUBLISH is shorter than it says")
    if header == _PUBLISH and not properties:
        return Publication(data[at:end], arrived, topic)
    dup, retain = header & 0b1000 != 0, header & 1 != 0
    return Publication(
        data[at:end], arrived, topic, expects_nothing, qos > 0, mid, dup, retain, "", None, qos, properties
    )


def _after_properties(data: bytes, at: int, end: int) -> int:
    """Return where the properties end whose length, a variable byte integer (MQTT 5, 1.5.5), is at ``at``."""
    if at < end and data[at] < 0x80:
        return at + 1 + data[at]
    value = 0
    for shift, byte in zip((0, 7, 14, 21), data[at : min(at + 4, end)], strict=False):
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value + at
    raise ValueError("PUBLISH ends within a length")
