"""What is asked of a broker again, and when."""

import pytest
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from adapters.mqtt.grants import ASK_AGAIN_S, Grants
from adapters.mqtt.subscriptions import subscriptions

NOT_AUTHORIZED, GRANTED_1 = 0x87, 1


class Client:
    """A client that keeps what is asked for; the test gives the answers."""

    protocol = MQTTProtocolVersion.MQTTv5

    def __init__(self):
        self.asked = []

    def subscribe(self, wanted, properties=None):
        self.asked.append(wanted[0][0])
        return 0, len(self.asked)

    def answer(self, mid, reason):
        self.on_subscribe(None, None, mid, [ReasonCode(PacketTypes.SUBACK, identifier=reason)], None)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        at = 100.0

    monkeypatch.setattr("gateway.runtime.monotonic", lambda: Clock.at)
    return Clock


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def grants(client, clock):
    made = Grants(client, subscriptions([("a/{device}", 1), ("b/{device}", 1)]), identified=False)
    made.ask()
    return made


def test_news_are_told_when_all_is_answered(client, grants, clock):
    clock.at += 3.0
    client.answer(1, GRANTED_1)
    assert not grants.news
    assert grants.waiting_s == 3.0
    client.answer(2, GRANTED_1)
    assert grants.news
    assert (grants.waiting_s, grants.in_words(), grants.none) == (0.0, "", False)


def test_what_is_refused_is_asked_for_again_after_a_while(client, grants, clock):
    client.answer(1, GRANTED_1)
    client.answer(2, NOT_AUTHORIZED)
    assert grants.in_words() == "refuses to subscribe b/+: not authorized"
    assert not grants.due
    clock.at += ASK_AGAIN_S + 1.0
    assert grants.due
    grants.ask(grants.refused)
    assert client.asked == ["a/+", "b/+", "b/+"]
    assert not grants.due
    client.answer(3, GRANTED_1)
    assert (grants.in_words(), grants.refused) == ("", ())


def test_all_refused_is_none(client, grants):
    client.answer(1, NOT_AUTHORIZED)
    client.answer(2, NOT_AUTHORIZED)
    assert grants.none


def test_an_answer_to_nothing_we_asked_is_passed_over(client, grants):
    client.answer(77, NOT_AUTHORIZED)
    assert not grants.refused
