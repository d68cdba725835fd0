import pytest

from gateway.availability import Availability
from gateway.errors import Rejected


@pytest.fixture
def availability():
    return Availability("sensors/{device}/status")


def test_the_topic_names_the_device(availability):
    assert availability.device("sensors/kitchen/status") == "kitchen"
    assert availability.device("sensors/kitchen") is None


@pytest.mark.parametrize(
    ("payload", "online"),
    [
        (b"online", True),
        (b"offline", False),
        (b'{"state":"online"}', True),
        (b'{"state": "offline", "since": 1}', False),
        (b"", None),
    ],
)
def test_what_is_said(availability, payload, online):
    assert availability.online(payload) is online


def test_other_words():
    tasmota = Availability("tele/{device}/LWT", "Online", "Offline")
    assert tasmota.online(b"Online") is True
    assert tasmota.online(b"Offline") is False
    numbers = Availability("shellies/{device}/online", "true", "false")
    assert numbers.online(b"false") is False


@pytest.mark.parametrize("payload", [b"maybe", b"Online", b'{"state": 1}', b'{"state"', b"[]", b"\xff", b"null"])
def test_anything_else_is_refused_with_what_was_expected(availability, payload):
    with pytest.raises(Rejected, match='expected "online" or "offline", got'):
        availability.online(payload)


def test_a_device_with_an_impossible_name_is_refused(availability):
    with pytest.raises(Rejected, match="device id: is empty"):
        availability.device("sensors//status")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["sensors/+/status"], "expected a topic with {device}"),
        (["a/#/{device}"], "# stands for the rest"),
        (["{device}/x", "1", "1"], "another payload than payload_online"),
    ],
)
def test_what_can_tell_nothing_is_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        Availability(*arguments)
