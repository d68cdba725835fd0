"""How long a busy connection is left alone."""

import pytest

from adapters.mqtt.moderation import MOST_PAUSE_S, PAUSE_S, Moderation
from gateway.model import RawMessage


def settled(rate: float, seconds: float = 2.0) -> tuple[Moderation, float]:
    """Let messages come evenly, looked at after each pause, else as they come; return how often it was looked."""
    moderation, at, seen, looks = Moderation(), 0.0, 0, 0
    while at < seconds:
        at = at + moderation.pause_s if moderation.pause_s else (seen + 1) / rate
        count = int(at * rate + 1e-6) - seen
        seen, looks = seen + count, looks + 1
        moderation.looked(at, count)
    return moderation, looks / seconds


@pytest.mark.parametrize("rate", [0.1, 1, 50, 190])
def test_where_it_is_quiet_each_message_is_looked_at_as_it_comes(rate: float) -> None:
    moderation, looks = settled(rate, 100.0 / rate)
    assert moderation.pause_s == 0.0
    assert looks == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize("rate", [500, 1000, 2000])
def test_up_to_2000_a_second_pauses_are_short(rate: float) -> None:
    moderation, looks = settled(rate)
    assert moderation.pause_s == pytest.approx(PAUSE_S, rel=0.2)
    assert looks < 1.1 / PAUSE_S


@pytest.mark.parametrize("rate", [10_000, 20_000, 1_000_000])
def test_past_that_they_grow_to_a_bound(rate: float) -> None:
    moderation, looks = settled(rate)
    assert moderation.pause_s == MOST_PAUSE_S
    assert looks < 1.1 / MOST_PAUSE_S


def test_a_look_that_found_nothing_ends_them_and_silence_does() -> None:
    moderation, _ = settled(1000)
    moderation.looked(2.1, 0)
    assert moderation.pause_s == 0.0
    moderation, _ = settled(1000)
    moderation.looked(10.0, 1)
    assert moderation.pause_s == 0.0


def test_the_first_message_and_many_in_one_instant_are_no_matter() -> None:
    moderation = Moderation()
    moderation.looked(5.0, 1)
    assert moderation.pause_s == 0.0
    moderation.looked(5.0, 256)
    assert moderation.pause_s == MOST_PAUSE_S


def test_a_broker_that_sends_twenty_in_advance_waits_no_longer_than_for_a_short_pause() -> None:
    moderation = Moderation()
    for number in range(100):
        moderation.looked(number * 0.005, 20)
        assert moderation.pause_s in (0.0, PAUSE_S)


def test_long_pauses_leave_the_broker_something_to_send() -> None:
    moderation, _ = settled(20_000)
    assert moderation.pause_now(100) == MOST_PAUSE_S
    assert moderation.pause_now(900) == PAUSE_S
    moderation.looked(5.0, 0)
    assert moderation.pause_now(900) == 0.0


@pytest.mark.parametrize("rate", [60, 100, 1000, 5000])
def test_where_messages_would_wait_anyway_they_are_left_alone_for_so_long(rate: int) -> None:
    moderation = Moderation()
    for number in range(100):
        moderation.looked(number * 0.04, rate // 25, 0.04)
    assert moderation.pause_s == 0.04
    moderation.looked(4.0, rate // 25, 0.0)
    assert moderation.pause_s < 0.02


def test_where_no_company_is_to_be_had_that_makes_no_difference() -> None:
    moderation = Moderation()
    moderation.looked(1.0, 1, 0.04)
    moderation.looked(1.04, 1, 0.04)
    assert moderation.pause_s == 0.0
    moderation.looked(1.05, 1, 0.002)  # it is nearly over
    assert moderation.pause_s == 0.0


def test_what_would_have_been_stamped_as_it_came_is_stamped_as_if_it_had_come_evenly() -> None:
    moderation, found = Moderation(), [RawMessage(b"", 1000.0) for _ in range(4)]
    for number in range(3):
        moderation.looked(number * 0.04, 4, 0.04)
    moderation.spread(found, 0.12)
    assert [message.arrived for message in found] == pytest.approx([999.97, 999.98, 999.99, 1000.0])
    behind = [RawMessage(b"", 1000.0 + n * 1e-6) for n in range(2)]  # a packet that is no message came in between
    moderation.spread(behind, 0.12)
    assert [message.arrived for message in behind] == [1000.0, 1000.000001]
    moderation.looked(0.12, 4, 0.0)  # somebody is in a hurry
    late = RawMessage(b"", 1000.1)
    moderation.spread([late, late], 0.16)
    assert late.arrived == 1000.1
