import pytest

from gateway.clockwatch import ClockWatch


class Box:
    def __init__(self):
        self.now, self.uptime = 1000.0, 10.0

    def passes(self, seconds, drift=0.0):
        self.now += seconds + drift
        self.uptime += seconds


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def watch(box):
    return ClockWatch(lambda: box.now, lambda: box.uptime)


def test_time_that_passes_is_no_step(box, watch):
    for _ in range(100):
        box.passes(60, drift=0.5)
        assert watch.look() == 0


@pytest.mark.parametrize("step_s", [-86400.0, 1.8e9])
def test_a_step_is_told_once(box, watch, step_s):
    box.passes(60)
    box.now += step_s
    assert watch.look() == step_s
    box.passes(60)
    assert watch.look() == 0
