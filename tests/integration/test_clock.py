"""The real daemon on a machine whose clock isn't set at first, or is set wrongly while it runs."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.runtime import is_set
from tests.support.clocks import Clock
from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.viewers import Viewer

GATEWAYCTL = Path(sys.executable).with_name("gatewayctl")
DAY_S = 86_400.0
YEAR_S = 365.25 * DAY_S
NOT_SET = "the clock is not set"


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "offset")


@pytest.fixture
def daemon(tmp_path, broker, clock):
    tables = '[journal]\nretention = "1d"\n' + mqtt(broker.port)
    return Daemon(tmp_path / "gateway", tables, command=clock.command)


class Kitchen:
    """A sensor that numbers its readings and knows when it sent them."""

    def __init__(self, broker, daemon):
        self._broker, self._daemon = broker, daemon
        self.sent = []

    def says(self, count=1, **more):
        """Publish readings, and wait until they are in the journal."""
        for _ in range(count):
            self.sent.append(time.time())
            self._broker.publish("sensors/kitchen", json.dumps({"n": len(self.sent), **more}))
        wait_until(lambda: len(self.readings()) == len(self.sent), f"{len(self.sent)} readings")

    def readings(self):
        known = {device["id"] for device in self._daemon.get("/api/v1/devices")["devices"]}
        return self._daemon.readings("kitchen") if "kitchen" in known else []

    def check(self):
        """Nothing is lost, and each has its number and its place."""
        found = self.readings()
        assert [one["seq"] for one in found] == list(range(1, len(self.sent) + 1))
        assert [one["values"]["n"] for one in found] == [one["seq"] for one in found]
        return found


def problems(daemon):
    return daemon.get("/api/v1/status")["problems"]


def test_a_box_that_starts_in_1970(broker, clock, daemon):
    clock.set(60.0)
    with daemon:
        daemon.wait_up("broker")
        kitchen = Kitchen(broker, daemon)
        kitchen.says(5)
        assert any(NOT_SET in problem for problem in problems(daemon))
        daemon.kill()  # and started once more, still without a clock
        daemon.start()
        daemon.wait_up("broker")
        with Viewer(daemon.url) as viewer:
            viewer.ask("join", {"device": "kitchen", "since": 0})
            kitchen.says(5)
            assert all(one["clock"] == "unset" and one["ts"] < 3600 for one in kitchen.check())
            assert viewer.wait_seq("kitchen", 10) == list(range(1, 11))

            clock.set_off_by(0.0)
            moved = viewer.wait_for("rebased")
            assert (moved["device"], moved["from"], moved["to"]) == ("kitchen", 1, 10)
            wait_until(lambda: not problems(daemon), "all is well")
            found = kitchen.check()
            assert not any("clock" in one for one in found)
            assert all(sent - 1 < one["ts"] < sent + 10 for sent, one in zip(kitchen.sent, found, strict=True))
            seen = next(viewer.readings("kitchen"))
            assert seen["ts"] + moved["by"] == pytest.approx(found[0]["ts"], abs=1.0)

            kitchen.says(1)
            assert viewer.wait_seq("kitchen", 11) == list(range(1, 12))
            assert [event["event"] for event in viewer.events].count("disconnect") == 0
        device = daemon.get("/api/v1/devices/kitchen")
        assert abs(device["last_seen"] - time.time()) < 60
        assert is_set(daemon.get("/api/v1/status")["sources"][0]["since"])
        assert "Traceback" not in daemon.log


def test_a_clock_that_is_set_back_a_day_and_forward_by_fifty_years(broker, clock, daemon):
    with daemon:
        daemon.wait_up("broker")
        kitchen = Kitchen(broker, daemon)
        kitchen.says(3)
        with Viewer(daemon.url) as viewer:
            viewer.ask("join", {"device": "kitchen", "since": 0})
            for offset_s in (-DAY_S, 50 * YEAR_S):
                clock.set_off_by(offset_s)
                now = viewer.wait_for("clock")["time"]
                assert now - time.time() == pytest.approx(offset_s, abs=60)
                kitchen.says(3)
                assert kitchen.readings()[-1]["ts"] == pytest.approx(now, abs=60)
                assert daemon.source_states() == {"broker": "up"}
                assert daemon.get("/api/v1/devices/kitchen")["state"] == "online"
            assert viewer.wait_seq("kitchen", 9) == list(range(1, 10))
            assert [event["event"] for event in viewer.events].count("connect") == 1
            assert [event["event"] for event in viewer.events].count("disconnect") == 0
        daemon.stop()
        daemon.start()  # age is looked at first of all, and nothing is too old yet
        daemon.wait_up("broker")
        kitchen.says(3)
        clock.set_off_by(0.0)
        kitchen.says(3)
        kitchen.check()
        daemon.stop()
        daemon.start()
        daemon.wait_up("broker")
        kitchen.says(1)
        kitchen.check()
        assert "Traceback" not in daemon.log


def test_a_source_whose_clock_is_wrong_is_shown(broker, daemon):
    with daemon:
        daemon.wait_up("broker")
        kitchen = Kitchen(broker, daemon)
        kitchen.says(1)
        [source] = daemon.get("/api/v1/status")["sources"]
        assert source["skew_s"] is None
        kitchen.says(3, ts=time.time() - 3600)
        [source] = daemon.get("/api/v1/status")["sources"]
        assert source["skew_s"] == pytest.approx(3600, abs=30)
        assert any("source broker: its times are 1 h behind" in problem for problem in problems(daemon))
        command = [GATEWAYCTL, "--socket", str(daemon.socket), "status"]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert "1 h behind" in shown.stdout
