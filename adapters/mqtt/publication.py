"""Taking PUBLISH packets apart: MQTT 5, 3.3, and MQTT 3.1.1, 3.3."""

import struct
from typing import Any, NamedTuple

from paho.mqtt import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

_PUBLISH = 0x30
_KIND_AND_QOS_2 = 0b1111_0100
"""Of the first byte: which packet it is, and the upper bit of the QoS."""


class Publication(NamedTuple):
    """A message as it was on the wire."""

    topic: bytes
    payload: bytes
    qos: int
    mid: int
    """The packet identifier; 0 with QoS 0."""
    dup: bool
    retain: bool
    properties: bytes = b""
    """Of MQTT 5, with their length in front; not looked into."""
    flaw: str = ""
    """Why this isn't the whole message; then ``size`` says how many bytes its payload had."""
    size: int | None = None

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


def split(data: bytes, at: int, *, has_properties: bool, most: int, most_bytes: int) -> tuple[list[Publication], int]:
    """Return the PUBLISH packets with QoS 0 or 1 that lie whole in ``data`` from ``at`` on, and where they end.

    There ``data`` ends, or a packet begins that is another, or isn't whole, or isn't right: whoever takes
    packets byte by byte knows what to do with it.

    Parameters
    ----------
    has_properties
        Whether this is MQTT 5.
    most
        So many packets are enough.
    most_bytes
        A packet with more after its length is left alone too, and each with more than 16383.
    """
    found: list[Publication] = []
    last = len(data) - 1
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
            found.append(parse(data[at], data, start, end, has_properties=has_properties))
        except ValueError:
            break
        at = end
    return found, at


def parse(header: int, data: bytes, at: int, end: int, *, has_properties: bool) -> Publication:
    """Return the message in a packet, of which ``data`` has from ``at`` to ``end`` what comes after the fixed header.

    Raises
    ------
    ValueError
        The packet is shorter than it says.
    """
    if at + 2 > end:
        raise ValueError("PUBLISH has no topic")
    qos, mid = header >> 1 & 0b11, 0
    topic_at = at + 2
    at = topic_at + (data[at] << 8 | data[at + 1])
    topic = data[topic_at:at]
    if qos:
        mid = int.from_bytes(data[at : at + 2], "big")
        at += 2
    properties_at = at
    if has_properties:
        at = at + 1 if at < end and not data[at] else _after_properties(data, at, end)  # most have none
    if at > end:
        raise ValueError("PUBLISH is shorter than it says")
    properties = data[properties_at:at]
    return Publication(topic, data[at:end], qos, mid, header & 0b1000 != 0, header & 1 != 0, properties)


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
