"""gatewayctl backup beside a gateway under load, and gatewayctl restore."""

import json
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import contextmanager

import pytest
from paho.mqtt import client as mqtt_client

from gateway.journal import examine
from tests.support.daemon import Daemon, mqtt
from tests.support.mosquitto import Mosquitto
from tests.support.ports import LOOPBACK, wait_until
from tests.support.viewers import Viewer

DEVICES = [f"d{number}" for number in range(10)]
A_SECOND = 500


def gatewayctl(daemon, *arguments):
    program = [sys.executable, "-c", "from gateway.cli import main; main()", "--config", str(daemon.config), *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)


class Sensors:
    """Publish the numbers 1, 2, 3, … for each device, as QoS 1 and in order."""

    def __init__(self, port):
        self.sent = 0
        self._client = mqtt_client.Client(mqtt_client.CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(1000)
        self._client.connect(LOOPBACK, port)
        self._client.loop_start()
        self._ended = threading.Event()

    def publish(self):
        """Publish one number of each device; return the last message."""
        self.sent += 1
        for device in DEVICES:
            last = self._client.publish(f"sensors/{device}", json.dumps({"n": self.sent}), qos=1)
        return last

    def flow(self):
        """Publish at a constant rate until ``end``."""
        begin, first = time.monotonic(), self.sent
        while not self._ended.wait(0.02):
            due = first + int((time.monotonic() - begin) * A_SECOND / len(DEVICES))
            while self.sent < due:
                last = self.publish()
        last.wait_for_publish(30.0)

    def end(self):
        self._ended.set()

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def flowing(sensors):
    thread = threading.Thread(target=sensors.flow)
    thread.start()
    try:
        yield
    finally:
        sensors.end()
        thread.join(60.0)


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as one:
        yield one


@pytest.fixture
def sensors(broker):
    one = Sensors(broker.port)
    yield one
    one.close()


def stored(daemon):
    return daemon.ledger()["stored"]


def numbers(daemon, device):
    return [(reading["seq"], reading["values"]["n"]) for reading in daemon.readings(device)]


def test_a_backup_under_load_restores_to_a_whole_beginning_and_no_number_is_given_twice(tmp_path, broker, sensors):
    daemon, file = Daemon(tmp_path / "gateway", mqtt(broker.port)), tmp_path / "backup.tar.gz"
    with daemon:
        daemon.wait_up("broker")
        with flowing(sensors):
            wait_until(lambda: stored(daemon) > 2 * A_SECOND, "something is there", timeout_s=30.0)
            before = stored(daemon)
            done = gatewayctl(daemon, "backup", str(file), "--json")
            assert done.returncode == 0, done.stderr
            after = stored(daemon)
            wait_until(lambda: stored(daemon) > after + A_SECOND, "more came", timeout_s=30.0)
        wait_until(lambda: stored(daemon) == sensors.sent * len(DEVICES), "all is stored", timeout_s=30.0)
        manifest = json.loads(done.stdout)
        assert before <= manifest["readings"] <= after
        last = {device: numbers(daemon, device) for device in DEVICES}
        assert daemon.ledger()["dropped"] == 0
        refused = gatewayctl(daemon, "restore", str(file))
        assert (refused.returncode, "the gateway is running" in refused.stderr) == (1, True)
        assert numbers(daemon, "d0") == last["d0"]
        configured = daemon.config.read_text()
        daemon.configure(mqtt(broker.port), name="another")
    restored = gatewayctl(daemon, "restore", str(file), "--json")
    assert restored.returncode == 0, restored.stderr
    report = json.loads(restored.stdout)
    assert daemon.config.read_text() == configured
    kept = {path.partition("before-restore")[0] for path in report["kept"]}
    assert kept == {f"{daemon.config}.", f"{daemon.socket.parent}/journal.db."}
    with daemon, Viewer(daemon.url) as viewer:
        for device in DEVICES:
            found = numbers(daemon, device)
            assert found == last[device][: len(found)], "a beginning of what there was, without a hole"
            assert found == [(n, n) for n in range(1, manifest["devices"][device] + 1)]
        assert daemon.get("/api/v1/status")["journal"]["readings"] == manifest["readings"]
        assert manifest["readings"] >= stored(daemon) >= before - 2 * A_SECOND, "the ledger is written once a second"
        newest = last["d0"][-1][0]
        viewer.ask("join", {"device": "d0", "since": newest})
        daemon.wait_up("broker")
        sensors.publish().wait_for_publish(10.0)
        wait_until(lambda: len(numbers(daemon, "d0")) > manifest["devices"]["d0"], "the next reading is stored")
        seq, value = numbers(daemon, "d0")[-1]
        assert (seq, value) == (report["devices"]["d0"]["past"] + 1, sensors.sent)
        assert seq > newest
        assert viewer.wait_seq("d0", seq) == [seq]
        gaps = [event["data"] for event in viewer.events if event["event"] == "gap"]
        assert gaps == [{"device": "d0", "from": newest + 1, "to": seq - 1, "reason": "expired"}]


def test_a_gateway_moves_to_a_new_machine(tmp_path, broker, sensors):
    old = Daemon(tmp_path / "old", mqtt(broker.port))
    with old:
        old.wait_up("broker")
        sensors.publish().wait_for_publish(10.0)
        wait_until(lambda: stored(old) == len(DEVICES), "it is stored")
    (old.config.parent / "conf.d").mkdir()
    (old.config.parent / "conf.d" / "more.toml").write_text("[profiles.climate]\n")
    assert gatewayctl(old, "backup", str(tmp_path / "backup.tar.gz")).returncode == 0
    again = gatewayctl(old, "backup", str(tmp_path / "backup.tar.gz"))
    assert (again.returncode, "--force" in again.stderr) == (1, True)
    new = Daemon(tmp_path / "new", "")
    new.config.unlink()
    done = gatewayctl(new, "restore", str(tmp_path / "backup.tar.gz"))
    assert done.returncode == 0, done.stderr
    assert "10 readings" in done.stdout
    assert (new.config.parent / "conf.d" / "more.toml").exists()
    new.port, new.url = old.port, old.url
    with new:
        assert numbers(new, "d3") == [(1, 1)]
    with tarfile.open(tmp_path / "backup.tar.gz") as archive:
        archive.extract("journal.db", tmp_path / "apart", filter="data")
    assert examine(tmp_path / "apart" / "journal.db").readings == dict.fromkeys(DEVICES, 1)
