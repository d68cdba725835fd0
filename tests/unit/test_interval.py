from gateway.interval import Interval


def test_is_unknown_until_a_second_arrival():
    interval = Interval(0.0)
    assert not interval.known
    assert interval.seconds == 60.0
    interval.arrived(10.0)
    assert interval.known
    assert interval.seconds == 10.0


def test_follows_a_new_rhythm():
    interval = Interval(0.0)
    for at in range(1, 100):
        interval.arrived(float(at))
    assert round(interval.seconds, 3) == 1.0
    for at in range(100, 1000, 5):
        interval.arrived(float(at))
    assert 4.5 < interval.seconds < 5.0


def test_a_clock_that_stands_still_is_no_division_by_zero():
    interval = Interval(5.0)
    interval.arrived(5.0)
    assert interval.seconds > 0
    assert interval.silent_for(4.0) == 0.0
