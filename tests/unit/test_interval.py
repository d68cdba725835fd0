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


def mean_after(gaps, repeats, interval=None, start=0.0):
    interval = interval or Interval(start)
    at = interval.last
    for _ in range(repeats):
        for gap in gaps:
            at += gap
            interval.arrived(at)
    return interval


def test_of_bursts_the_time_between_them_is_learned():
    assert mean_after([60.0, 0.01, 0.01, 0.01, 0.01], 100).seconds > 50.0
    assert mean_after([0.01] * 49 + [600.0], 100).seconds > 200.0


def test_an_outage_is_no_new_rhythm():
    interval = mean_after([1.0], 200)
    mean_after([600.0], 1, interval)
    assert interval.seconds < 2.0
    mean_after([1.0], 30, interval)
    assert interval.seconds < 1.2


def test_a_faster_rhythm_is_learned_from_many_messages():
    interval = mean_after([60.0], 100)
    assert mean_after([0.01], 3000, interval).seconds < 0.02


def test_what_comes_together_is_one_arrival():
    interval = Interval(0.0)
    for second in range(1, 200):
        for microseconds in range(0, 900, 100):
            interval.arrived(second + microseconds / 1e6)
    assert 0.9 < interval.seconds < 1.1
    assert interval.last == 199.0
