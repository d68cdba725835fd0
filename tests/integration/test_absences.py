"""The real daemon is killed, stopped and started, and loses its broker: what it says of it afterwards."""

import json
import time
import urllib.error

import pytest

from tests.support.clocks import Clock
from tests.support.daemon import Daemon, mqtt, serial
from tests.support.journals import changing
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until
from tests.support.ptys import VirtualPort
from tests.support.viewers import Viewer


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "offset")


@pytest.fixture
def daemon(tmp_path, broker, clock):
    with Daemon(tmp_path / "gateway", mqtt(broker.port), command=clock.command) as running:
        running.wait_up("broker")
        say(broker, running, 1)
        yield running


def say(broker, daemon, n):
    """Publish a reading, and wait until it is kept."""
    broker.publish("sensors/kitchen", json.dumps({"n": n}))
    wait_until(lambda: "kitchen" in known(daemon) and newest(daemon)["values"]["n"] == n, f"reading {n}")


def newest(daemon):
    return daemon.readings("kitchen")[-1]


def known(daemon):
    return {device["id"] for device in daemon.get("/api/v1/devices")["devices"]}


def absences(daemon, query=""):
    found = daemon.get(f"/api/v1/devices/kitchen/absences{query}")
    assert found["device"] == "kitchen"
    return found["absences"]


def test_a_gateway_that_was_killed_or_stopped_says_from_when_to_when_it_was_not_running(broker, daemon, clock):
    assert absences(daemon) == []
    began = newest(daemon)["ts"]
    daemon.kill()
    killed = time.time()
    clock.set_off_by(600.0)  # as if it was off for ten minutes
    daemon.start()
    (first,) = absences(daemon)
    assert (first["source"], first["reason"]) == (None, "stopped")
    assert began <= first["from"] <= killed
    assert killed + 600.0 <= first["to"] <= time.time() + 600.0
    before = time.time() + 600.0
    daemon.stop()
    stopped = time.time() + 600.0
    clock.set_off_by(1200.0)
    daemon.start()
    _, second = absences(daemon)
    assert before <= second["from"] <= stopped
    assert stopped + 600.0 <= second["to"] <= time.time() + 1200.0
    assert absences(daemon, f"?from={second['from']}&to={second['to']}&limit=5") == [second]
    assert absences(daemon, "?limit=1") == [second]


def test_a_broker_that_was_stopped_is_said_to_be_away_and_every_page_is_told(broker, daemon):
    with Viewer(daemon.url) as viewer:
        stopped = time.time()
        broker.stop()
        wait_until(lambda: absences(daemon), "the broker is said to be away", timeout_s=20.0)
        (open_,) = absences(daemon)
        assert (open_["source"], open_["reason"], open_["to"]) == ("broker", "away", None)
        assert stopped <= open_["from"] <= time.time() - 5.0
        broker.start()
        wait_until(lambda: absences(daemon)[0]["to"], "and to be back", timeout_s=20.0)
        say(broker, daemon, 2)
        (over,) = absences(daemon)
        assert over["from"] == open_["from"]
        assert open_["from"] + 5.0 <= over["to"] <= newest(daemon)["ts"]
        assert [viewer.wait_for("absence") for _ in range(2)] == [open_, over]


def test_what_the_disk_has_not_taken_yet_is_answered_all_the_same(broker, daemon):
    """A page that is opened then was not there as it was announced."""
    with changing(daemon.socket.with_name("journal.db")) as file:
        file.execute("BEGIN IMMEDIATE")
        broker.stop()
        wait_until(lambda: absences(daemon), "the broker is said to be away", timeout_s=20.0)
        (open_,) = absences(daemon)
        broker.start()
        wait_until(lambda: absences(daemon)[0]["to"], "and to be back", timeout_s=20.0)
        assert file.execute("SELECT 1 FROM absences").fetchall() == []
        told = absences(daemon)
    assert [one["from"] for one in told] == [open_["from"]]
    with changing(daemon.socket.with_name("journal.db")) as file:
        wait_until(lambda: file.execute("SELECT 1 FROM absences").fetchall(), "the disk takes writes again")
    assert absences(daemon) == told


def test_a_port_that_is_unplugged_over_a_restart_is_away_before_and_after_it(broker, tmp_path):
    tables = mqtt(broker.port) + serial(tmp_path / "port")
    with VirtualPort(tmp_path / "port") as port, Daemon(tmp_path / "gateway", tables) as daemon:
        daemon.wait_up("broker", "bench")
        port.write(b"21.5,48\n")
        say(broker, daemon, 1)
        wait_until(lambda: "bench-sensor" in known(daemon), "a reading from the port")
        port.unplug()
        wait_until(lambda: of_bench(daemon), "the port is said to be away", timeout_s=20.0)
        before = time.time()
        daemon.stop()
        stopped = time.time()
        daemon.start()
        wait_until(lambda: len(of_bench(daemon)) == 2, "and to be away still", timeout_s=20.0)
        first, second = of_bench(daemon)
        assert before <= first["to"] <= stopped <= second["from"]
        assert second["to"] is None
        port.plug()
        wait_until(lambda: of_bench(daemon)[1]["to"], "and to be back", timeout_s=20.0)
        assert not any(one["source"] for one in absences(daemon)), "the other source was there all the time"


def of_bench(daemon):
    found = daemon.get("/api/v1/devices/bench-sensor/absences")["absences"]
    return [one for one in found if one["source"] == "bench"]


def test_a_clock_that_is_set_ahead_is_said(daemon, clock):
    before = time.time()
    clock.set_off_by(3600.0)
    wait_until(lambda: absences(daemon), "it is said")
    (found,) = absences(daemon)
    assert (found["source"], found["reason"]) == (None, "clock")
    assert before <= found["from"] <= time.time()
    assert found["to"] - found["from"] == pytest.approx(3600.0, abs=1.0)


def test_a_clock_that_ran_ahead_and_is_set_back_leaves_no_absence_that_lasts_for_years(daemon, clock):
    clock.set_off_by(5 * 365 * 86400.0)
    wait_until(lambda: absences(daemon), "the leap is said")
    clock.set_off_by(0.0)
    assert absences(daemon) == []


def test_an_absence_that_is_left_out_takes_no_place_of_another(daemon, clock):
    for number, hours in enumerate((1, 5), 1):
        clock.set_off_by(hours * 3600.0)
        wait_until(lambda number=number: len(absences(daemon)) == number, "the leap is said")
    first, _ = absences(daemon)
    clock.set_off_by(2 * 3600.0)
    assert absences(daemon, "?limit=1") == [first]


@pytest.mark.parametrize(
    ("path", "code"),
    [("kitchen/absences?limit=0", 400), ("kitchen/absences?since=1", 400), ("attic/absences", 404)],
)
def test_what_cannot_be_answered_is_refused(daemon, path, code):
    with pytest.raises(urllib.error.HTTPError) as refused:
        daemon.get(f"/api/v1/devices/{path}")
    refused.value.close()
    assert refused.value.code == code
