"""gatewayctl against the real daemon."""

import json
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import wait_until

GATEWAYCTL = Path(sys.executable).with_name("gatewayctl")


def ctl(daemon, *args, timeout=30.0):
    command = [str(GATEWAYCTL), "--config", str(daemon.config), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ctl")
    with Mosquitto(folder / "broker") as broker, Daemon(folder, mqtt(broker.port)) as daemon:
        daemon.wait_up("broker")
        broker.publish("sensors/kitchen", '{"temperature": 21.5}')
        wait_until(lambda: daemon.ledger()["stored"] == 1, "a reading is stored")
        yield broker, daemon


def test_status_is_what_the_api_says(running):
    _, daemon = running
    result = ctl(daemon, "status", "--json")
    assert result.returncode == 0
    told, api = json.loads(result.stdout), daemon.get("/api/v1/status")
    assert told.keys() == api.keys()
    assert (told["ledger"], told["sources"], told["devices"]) == (api["ledger"], api["sources"], api["devices"])
    assert told["journal"]["readings"] == 1
    assert told["journal"]["writable"] is True
    for_people = ctl(daemon, "status")
    assert for_people.returncode == 0
    assert "broker" in for_people.stdout


def test_devices(running):
    _, daemon = running
    assert json.loads(ctl(daemon, "devices", "--json").stdout)["devices"][0]["id"] == "kitchen"
    assert "kitchen" in ctl(daemon, "devices").stdout


def test_tail_shows_a_reading_at_once(running):
    broker, daemon = running
    command = [str(GATEWAYCTL), "--config", str(daemon.config), "tail", "--json", "kitchen"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        published = []

        def publish_until_seen():
            published.append(True)
            broker.publish("sensors/other", '{"temperature": 1}')
            broker.publish("sensors/kitchen", '{"temperature": 22.5}')

        wait_until(lambda: _readable(tail.stdout) or publish_until_seen(), "a line of tail")
        line = json.loads(tail.stdout.readline())
        tail.terminate()
    assert line["device"] == "kitchen"
    assert line["readings"][0]["values"] == {"temperature": 22.5}


def _readable(pipe):
    return select.select([pipe], [], [], 0.3)[0]


def test_status_of_a_broken_source_is_degraded_and_of_nothing_not_running(tmp_path):
    with Daemon(tmp_path, mqtt(1)) as daemon:  # nobody listens on port 1
        wait_until(lambda: daemon.source_states()["broker"] == "down", "the source is down")
        result = ctl(daemon, "status")
        assert result.returncode == 1
        assert "refused" in result.stdout
    result = ctl(daemon, "status")
    assert result.returncode == 3
    assert "control.sock" in result.stderr


def test_a_second_daemon_on_the_same_journal_or_port_says_so(running):
    _, daemon = running
    command = [sys.executable, "-m", "gateway", "--config", str(daemon.config)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30.0, check=False)
    assert second.returncode == 1
    assert "in use by another gateway" in second.stderr
    assert "Traceback" not in second.stderr
    other = daemon.config.with_name("other.toml")
    other.write_text(f'[gateway]\nstate_dir = "elsewhere"\n[web]\nport = {daemon.port}\n')
    third = subprocess.run([*command[:-1], str(other)], capture_output=True, text=True, timeout=30.0, check=False)
    assert third.returncode == 1
    assert str(daemon.port) in third.stderr
    assert "Traceback" not in third.stderr


def test_what_sensors_say_is_for_user_and_group(running):
    _, daemon = running
    state = daemon.socket.parent
    assert state.stat().st_mode & 0o777 == 0o750
    modes = {path.name: path.stat().st_mode & 0o777 for path in state.iterdir()}
    assert modes.pop("control.sock") == 0o660
    assert modes["journal.db"] == 0o640
    assert not any(mode & 0o007 for mode in modes.values()), modes


def test_stopping_leaves_nothing_unacknowledged(tmp_path):
    with Mosquitto(tmp_path / "broker") as broker, Daemon(tmp_path, mqtt(broker.port)) as daemon:
        daemon.wait_up("broker")
        broker.publish_all([("sensors/kitchen", b'{"n": %d}' % n) for n in range(300)])
        wait_until(lambda: daemon.ledger()["stored"] == 300, "all are stored")
        assert daemon.stop() == 0
        assert not daemon.socket.exists()
        daemon.start()
        daemon.wait_up("broker")
        broker.publish("sensors/kitchen", '{"n": 300}')
        wait_until(lambda: daemon.ledger()["stored"] == 301, "the next one is stored")
        assert daemon.ledger()["duplicate"] == 0


def test_export_and_a_chart_show_what_was_stored(running):
    _, daemon = running
    rows = ctl(daemon, "export", "kitchen").stdout.splitlines()
    assert rows[0] == "device,seq,ts,time,metric,value"
    assert rows[1].startswith("kitchen,1,")
    assert rows[1].endswith(",temperature,21.5")
    chart = daemon.get("/api/v1/devices/kitchen/readings?metric=temperature&max_points=100")
    assert chart == {**daemon.get("/api/v1/devices/kitchen/readings"), "next": None}
    downwards = daemon.get("/api/v1/devices/kitchen/readings?metric=temperature&max_points=100&order=desc")
    assert downwards["readings"] == chart["readings"][::-1]
