"""Taking a PUBLISH packet apart: MQTT 5, 3.3, and MQTT 3.1.1, 3.3."""

import struct
from dataclasses import dataclass
from typing import Any

from paho.mqtt import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


@dataclass(frozen=True, slots=True)
class Publication:
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


def parse(header: int, body: bytearray, *, has_properties: bool) -> Publication:
    """Return the message in a packet; ``body`` is what comes after the fixed header.

    Raises
    ------
    ValueError
        The packet is shorter than it says.
    """
    qos = header >> 1 & 0b11
    at = 2 + int.from_bytes(body[:2], "big")
    topic = bytes(body[2:at])
    mid = 0
    if qos:
        mid = int.from_bytes(body[at : at + 2], "big")
        at += 2
    properties_at = at
    if has_properties:
        length, at = _variable(body, at)
        at += length
    if at > len(body):
        raise ValueError("PUBLISH is shorter than it says")
    properties = bytes(body[properties_at:at])
    return Publication(topic, bytes(body[at:]), qos, mid, bool(header & 0b1000), bool(header & 1), properties)


def _variable(body: bytearray, at: int) -> tuple[int, int]:
    """Return the variable byte integer at ``at`` (MQTT 5, 1.5.5), and where it ends."""
    value = 0
    for shift, byte in zip((0, 7, 14, 21), body[at : at + 4], strict=False):
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("PUBLISH ends within a length")
