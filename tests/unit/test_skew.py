import pytest

from gateway.skew import Skew

ARRIVED = 1_767_225_600.0


@pytest.fixture
def skew():
    return Skew()


def test_a_source_without_times_has_no_skew(skew):
    skew.observe("broker", ARRIVED, ARRIVED)
    assert skew.of("broker") is None


@pytest.mark.parametrize("behind_s", [3600.0, -3600.0, 1_767_225_000.0])
def test_a_wrong_clock_shows_by_how_much(skew, behind_s):
    for n in range(5):
        skew.observe("broker", ARRIVED + n, ARRIVED + n - behind_s)
    assert skew.of("broker") == behind_s
    assert skew.of("bench") is None


def test_some_late_messages_make_no_clock_wrong(skew):
    for n in range(100):
        skew.observe("broker", ARRIVED + n, ARRIVED + n - (0.25 if n % 3 else 900.0))
    assert skew.of("broker") == 0.25


def test_a_clock_that_was_put_right_is_believed_after_a_while(skew):
    for n in range(1000):
        skew.observe("broker", ARRIVED + n, ARRIVED + n - 3600.0)
    for n in range(60):
        skew.observe("broker", ARRIVED + n, ARRIVED + n - 0.5)
    assert skew.of("broker") == 0.5


def test_the_gateways_own_clock_is_no_judge_before_it_is_set(skew):
    skew.observe("broker", 60.0, ARRIVED)
    assert skew.of("broker") is None


def test_it_begins_anew_when_the_gateways_clock_was_set(skew):
    skew.observe("broker", ARRIVED, ARRIVED - 3600.0)
    skew.forget()
    assert skew.of("broker") is None
