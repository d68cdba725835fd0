"""The properties and options of the packets that we send."""

from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from adapters.mqtt.subscriptions import Subscription

RECEIVE_MAXIMUM = 1000
"""Unacknowledged messages that an MQTT 5 broker may send; on 3.1.1 it decides, often 20 (docs/traps.md 2.6)."""
ALWAYS, NEW_SUBSCRIPTIONS_ONLY = 0, 1
"""When retained messages are sent (MQTT 5, 3.8.3.1): readings not again each time that we come back."""


def connect_properties(session_expiry_s: float) -> Properties:
    """Return what CONNECT says besides who we are."""
    return _properties(PacketTypes.CONNECT, SessionExpiryInterval=int(session_expiry_s), ReceiveMaximum=RECEIVE_MAXIMUM)


def subscribe_options(wanted: Subscription) -> SubscribeOptions:
    """Return how messages of a subscription are to be delivered."""
    return SubscribeOptions(qos=wanted.qos, retainHandling=ALWAYS if wanted.state else NEW_SUBSCRIPTIONS_ONLY)


def subscribe_properties(wanted: Subscription) -> Properties:
    """Return what makes the broker say for which subscription a copy is."""
    return _properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=wanted.identifier)


def _properties(packet_type: int, **values: int) -> Properties:
    untyped: Any = Properties
    properties: Properties = untyped(packet_type)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties
