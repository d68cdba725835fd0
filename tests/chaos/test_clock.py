"""The gateway's clock is set, back by a day and forward by fifty years: nothing is lost, and nobody is sent away."""

import random
from collections import Counter

import pytest

from tests.chaos.books import Auditor
from tests.chaos.faithful import Faithful
from tests.chaos.mortal import Mortal
from tests.chaos.publisher import Publisher
from tests.chaos.sensor import COLUMNS, CountingSensor
from tests.support.clocks import Clock
from tests.support.daemon import mqtt, serial
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

SENSOR = "bench-sensor"
DAY_S = 86400.0
YEAR_S = 365.25 * DAY_S
WRONG_BY_S = (0.0, -DAY_S, 50 * YEAR_S, 0.0)


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


def values(daemon, device):
    return [reading["values"]["n"] for reading in daemon.readings(device)]


def stamps(daemon, device):
    return [reading["ts"] for reading in daemon.readings(device)]


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_a_clock_that_is_set_loses_nothing(tmp_path, broker, restart):
    """``restart``: it is found wrong at a start, as on a box without a battery, and put right later."""
    clock, link = Clock(tmp_path / "offset"), tmp_path / "port"
    tables = mqtt(broker.port) + serial(link, columns=COLUMNS)
    with (
        CountingSensor(link, random.Random(0)) as sensor,
        Mortal(tmp_path, tables, command=clock.command) as daemon,
        Faithful(daemon.url, "kitchen", SENSOR) as viewer,
    ):
        daemon.wait_up("broker", "bench")
        with (
            Auditor(daemon.url),
            Publisher(broker.port, 200, lambda number: ("sensors/kitchen", b'{"n": %d}' % number)) as publisher,
        ):
            for offset_s in WRONG_BY_S:
                if restart:
                    assert daemon.stop() == 0
                clock.set_off_by(offset_s)
                if restart:
                    daemon.start()
                    daemon.wait_up("broker", "bench")
                goal = viewer.newest("kitchen") + 300, viewer.newest(SENSOR) + 20
                wait_until(lambda: viewer.newest("kitchen") > goal[0], f"readings by a clock off by {offset_s} s")  # noqa: B023
                wait_until(lambda: viewer.newest(SENSOR) > goal[1], "lines too")  # noqa: B023
        wait_until(lambda: publisher.acknowledged <= set(values(daemon, "kitchen")), "all that was promised")
        sensor.stop()
        newest = len(values(daemon, "kitchen"))
        wait_until(lambda: viewer.newest("kitchen") == newest, "the newest is seen")
        assert [number for number, times in Counter(values(daemon, "kitchen")).items() if times > 1] == []
        assert viewer.check_unbroken("kitchen") == newest
        assert viewer.gaps() == []
        assert viewer.check_unbroken(SENSOR) == daemon.readings(SENSOR)[-1]["seq"]
        assert [one["seq"] for one in daemon.readings(SENSOR)] == list(range(1, viewer.newest(SENSOR) + 1))
        if not restart:
            assert viewer.connections == 1
            lines = values(daemon, SENSOR)  # the first may have been written before the port was open
            assert lines == list(range(lines[0], sensor.written + 1))
        span_s = max(stamps(daemon, "kitchen")) - min(stamps(daemon, "kitchen"))
        assert span_s > 50 * YEAR_S  # else the clock was never wrong
        assert daemon.source_states() == {"broker": "up", "bench": "up"}
        assert "Traceback" not in daemon.log
